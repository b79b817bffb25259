"""Whether a raw document has the shape of a schema: every wrong type, missing key and unknown key at once, each with its path.

Decoding alone would stop at the first. As in Ikasan, numbers and true/false may also be written as texts, and texts as numbers.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from msgspec import Struct, field, inspect

from jobplan.bundle.raw import Json, JsonObject, kind_of, step
from schemas.plan import Context, Job, LockParticipant, Parameter, Plan, ScheduledJob
from schemas.requests import Fault

_WHOLE = re.compile(r"[+-]?\d{1,18}")
_LIKE: Final = 0.75
"""How alike two keys are when one may be a typing error of the other."""


class Shape(Struct):
    """Fits documents to types, and collects what does not."""

    faults: list[Fault] = field(default_factory=list)

    def fit(self, value: JsonObject, cls: type[Struct], path: str, *, partial: bool = False) -> JsonObject:
        """The object with every scalar of the type that ``cls`` wants; ``partial``: required keys may be missing."""
        return self._struct(value, _fields(cls), path, partial=partial)

    def _struct(self, value: JsonObject, wanted: _Fields, path: str, *, partial: bool = False) -> JsonObject:
        fitted: JsonObject = {}
        for key, inner in value.items():
            known = wanted.types.get(key)
            if known is not None:
                fitted[key] = self._value(inner, known, step(path, key))
            elif key not in wanted.tolerated:
                self._unknown(key, wanted, path)
        if not partial:
            for key in wanted.required:
                if key not in value:
                    self._wrong(path, f"'{key}' is missing; it cannot be left out")
        return fitted

    def _value(self, value: Json, wanted: inspect.Type, path: str) -> Json:
        match wanted:
            case inspect.StructType(cls=cls) if isinstance(value, dict):
                return self._struct(value, _fields(cls), path)
            case inspect.VarTupleType(item_type=item) if isinstance(value, list):
                return [self._value(inner, item, step(path, index)) for index, inner in enumerate(value)]
            case inspect.DictType(value_type=item) if isinstance(value, dict):
                return {key: self._value(inner, item, step(path, key)) for key, inner in value.items()}
            case inspect.UnionType(types=types):
                return self._union(value, types, path)
            case inspect.EnumType(cls=cls):
                words = [str(member.value) for member in cls]
                if value not in words:
                    self._wrong(path, f"{_shown(value)} is not one of {', '.join(words)}")
                return value
            case _:
                return self._scalar(value, wanted, path)

    def _union(self, value: Json, types: tuple[inspect.Type, ...], path: str) -> Json:
        """The first of the types that takes the value as it is; else the first."""
        real = [known for known in types if not isinstance(known, inspect.NoneType)]
        for known in real:
            if _is(value, known):
                return self._value(value, known, path)
        return self._value(value, real[0], path)

    def _scalar(self, value: Json, wanted: inspect.Type, path: str) -> Json:
        if _is(value, wanted):
            return value
        fitted = _converted(value, wanted)
        if fitted is None:
            self._wrong(path, f"{_shown(value)} where {_words(wanted)} belongs")
            return value
        return fitted

    def _unknown(self, key: str, wanted: _Fields, path: str) -> None:
        """Warn of a key that nothing reads; an export gives it back."""
        near = {known.lower(): known for known in wanted.types}
        alike = difflib.get_close_matches(key.lower(), near, n=1, cutoff=_LIKE)
        hint = f"; did you mean '{near[alike[0]]}'?" if alike else ""
        message = f"unknown key, ignored{hint}"
        self.faults.append(Fault(path=step(path, key), message=message, warning=True))

    def _wrong(self, path: str, message: str) -> None:
        self.faults.append(Fault(path=path, message=message))


class _Fields(Struct, frozen=True):
    """What a schema knows."""

    types: Mapping[str, inspect.Type]
    required: tuple[str, ...]
    tolerated: frozenset[str]
    """Keys that Ikasan writes and nothing needs."""


@cache
def _fields(cls: type[Struct]) -> _Fields:
    info = inspect.type_info(cls)
    fields = info.fields if isinstance(info, inspect.StructType) else ()
    return _Fields(
        types={known.encode_name: known.type for known in fields},
        required=tuple(known.encode_name for known in fields if known.required),
        tolerated=_tolerated(cls),
    )


def _tolerated(cls: type[Struct]) -> frozenset[str]:
    """Ikasan exports children with the plan's keys and participants with those of jobs; identifiers are derived."""
    if issubclass(cls, Context):
        return _keys(Plan) if cls is Context else frozenset()
    if issubclass(cls, Parameter):
        return frozenset({"type"})
    if issubclass(cls, LockParticipant):
        return _keys(ScheduledJob) | {"identifier"}
    if issubclass(cls, Job | ScheduledJob):
        return frozenset({"identifier", "type"})
    return frozenset()


def _keys(cls: type[Struct]) -> frozenset[str]:
    info = inspect.type_info(cls)
    return (
        frozenset(known.encode_name for known in info.fields) if isinstance(info, inspect.StructType) else frozenset()
    )


def _is(value: Json, wanted: inspect.Type) -> bool:
    match wanted:
        case inspect.StrType():
            return isinstance(value, str)
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            return isinstance(value, int) and not isinstance(value, bool)
        case inspect.FloatType():
            return isinstance(value, float)
        case inspect.StructType():
            return isinstance(value, dict)
        case _:
            return False


def _converted(value: Json, wanted: inspect.Type) -> Json:
    """A scalar that says the same as one of another type does; None when it says nothing of the kind."""
    fitted: Json = None
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


def _words(wanted: inspect.Type) -> str:
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
            return "an object"


def _shown(value: Json) -> str:
    """A scalar as it stands, anything else by its kind."""
    if isinstance(value, dict | list) or value is None:
        return kind_of(value)
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "...'"  # noqa: PLR2004 - half a line
