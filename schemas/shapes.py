"""Whether a raw value has the shape of a schema: all wrong types, missing and unknown keys at once, each with its place. Pure.

Decoding alone would stop at the first, and tell it in words of its own. As in Ikasan, numbers and true/false may also be
written as texts, and texts as numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final, TypeAlias

from msgspec import Struct, field, inspect

Raw: TypeAlias = "bool | int | float | str | list[Raw] | dict[str, Raw] | None"
"""A value as JSON or TOML has it, before anybody has a type for it."""
RawObject: TypeAlias = "dict[str, Raw]"
Place: TypeAlias = "tuple[str | int, ...]"
"""Keys and indices that lead to a value."""

_WHOLE: Final = re.compile(r"[+-]?\d{1,18}")
_LONG: Final = 60
"""Characters of a value that are shown: half a line."""


class Misfit(Struct, frozen=True):
    """Something that does not fit."""

    place: Place
    message: str


class Stranger(Struct, frozen=True):
    """A key that the schema does not know, and those that it does."""

    place: Place
    known: tuple[str, ...]


class Shape(Struct):
    """Fits values to types, and collects what does not."""

    group: str
    """What keys and values are called together: an object of JSON, a table of TOML."""
    misfits: list[Misfit] = field(default_factory=list)
    strangers: list[Stranger] = field(default_factory=list)

    def tolerated(self, cls: type[Struct]) -> frozenset[str]:  # noqa: ARG002  # for those who tolerate some
        """Keys that a schema need not know."""
        return frozenset()

    def fit(self, value: RawObject, cls: type[Struct], *, partial: bool = False) -> RawObject:
        """The object with every scalar of the type that ``cls`` wants; ``partial``: required keys may be missing."""
        return self._struct(value, cls, (), partial=partial)

    def _struct(self, value: RawObject, cls: type[Struct], place: Place, *, partial: bool = False) -> RawObject:
        fitted: RawObject = {}
        wanted, tolerated = _fields(cls), self.tolerated(cls)
        for key, inner in value.items():
            known = wanted.types.get(key)
            if known is not None:
                fitted[key] = self._value(inner, known, (*place, key))
            elif key not in tolerated:
                self.strangers.append(Stranger((*place, key), tuple(wanted.types)))
        for key in () if partial else wanted.required:
            if key not in value:
                self._wrong(place, f"'{key}' is missing; it cannot be left out")
        return fitted

    def _value(self, value: Raw, wanted: inspect.Type, place: Place) -> Raw:
        match wanted:
            case inspect.StructType(cls=cls) if isinstance(value, dict):
                return self._struct(value, cls, place)
            case inspect.VarTupleType(item_type=item) if isinstance(value, list):
                return [self._value(inner, item, (*place, index)) for index, inner in enumerate(value)]
            case inspect.DictType(value_type=item) if isinstance(value, dict):
                return {key: self._value(inner, item, (*place, key)) for key, inner in value.items()}
            case inspect.UnionType(types=types):
                return self._union(value, types, place)
            case inspect.EnumType(cls=cls):
                words = [str(member.value) for member in cls]
                if value not in words:
                    self._wrong(place, f"{self._shown(value)} is not one of {', '.join(words)}")
                return value
            case _:
                return self._scalar(value, wanted, place)

    def _union(self, value: Raw, types: tuple[inspect.Type, ...], place: Place) -> Raw:
        """The first of the types that takes the value as it is; else the first."""
        real = [known for known in types if not isinstance(known, inspect.NoneType)]
        for known in real:
            if _is(value, known):
                return self._value(value, known, place)
        return self._value(value, real[0], place)

    def _scalar(self, value: Raw, wanted: inspect.Type, place: Place) -> Raw:
        if _is(value, wanted):
            return value
        fitted = _converted(value, wanted)
        if fitted is None:
            self._wrong(place, f"{self._shown(value)} where {self._words(wanted)} belongs")
            return value
        return fitted

    def _wrong(self, place: Place, message: str) -> None:
        self.misfits.append(Misfit(place, message))

    def _words(self, wanted: inspect.Type) -> str:
        match wanted:
            case inspect.StrType():
                return "a text"
            case inspect.IntType():
                return "a whole number"
            case inspect.FloatType():
                return "a number"
            case inspect.BoolType():
                return "true or false"
            case inspect.VarTupleType():
                return "a list"
            case _:
                return self.group

    def _shown(self, value: Raw) -> str:
        """A scalar as it stands, anything else by its kind."""
        if isinstance(value, dict):
            return self.group
        if isinstance(value, list):
            return "a list"
        if value is None:
            return "null"
        shown = repr(value)
        return shown if len(shown) <= _LONG else shown[: _LONG - 3] + "...'"


class _Fields(Struct, frozen=True):
    """What a schema knows."""

    types: Mapping[str, inspect.Type]
    required: tuple[str, ...]


@cache
def _fields(cls: type[Struct]) -> _Fields:
    info = inspect.type_info(cls)
    fields = info.fields if isinstance(info, inspect.StructType) else ()
    return _Fields(
        types={known.encode_name: known.type for known in fields},
        required=tuple(known.encode_name for known in fields if known.required),
    )


def keys_of(cls: type[Struct]) -> frozenset[str]:
    """The keys that a schema knows."""
    return frozenset(_fields(cls).types)


_KINDS: Final[Mapping[type[inspect.Type], type]] = {
    inspect.AnyType: object,
    inspect.StrType: str,
    inspect.BoolType: bool,
    inspect.IntType: int,
    inspect.FloatType: float,
    inspect.StructType: dict,
}


def _is(value: Raw, wanted: inspect.Type) -> bool:
    kind = _KINDS.get(type(wanted))
    return kind is not None and isinstance(value, kind) and (kind is not int or not isinstance(value, bool))


def _converted(value: Raw, wanted: inspect.Type) -> Raw:
    """A scalar that says the same as one of another type does; None when it says nothing of the kind."""
    fitted: Raw = None
    match wanted, value:
        case inspect.StrType(), bool():
            fitted = "true" if value else "false"
        case inspect.StrType(), int() | float():
            fitted = str(value)
        case inspect.IntType(), str() if _WHOLE.fullmatch(value.strip()):
            fitted = int(value)
        case inspect.IntType(), float() if value.is_integer():
            fitted = int(value)
        case inspect.FloatType(), str() if _is_number(value):
            fitted = float(value)
        case inspect.FloatType(), int() if not isinstance(value, bool):
            fitted = value
        case inspect.BoolType(), str() if value.strip().lower() in {"true", "false"}:
            fitted = value.strip().lower() == "true"
        case _:
            pass
    return fitted


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
