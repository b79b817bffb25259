"""JSON as it was written, before anybody has a type for it: parse, encode, walk. The border past which values have types."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import msgspec

from schemas.requests import Fault

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = "dict[str, Json]"
Documents: TypeAlias = "dict[str, Json]"
"""Documents by their path below the bundle's directory."""

MAX_DEPTH: Final = 200
"""How deep lists and objects may nest: far more than any plan does, far less than what exhausts the stack."""

_BYTE = re.compile(r"\(byte (\d+)\)")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COLLECTION = re.compile(r"java\.util\.(\w+\.)*\w*(List|Set|ArrayDeque)\w*(\$\w+)*")
"""A collection by its Java class, as Ikasan's REST services write it in front of what is in it."""


class BadJsonError(ValueError):
    """A text that is not one JSON document; ``fault`` says where."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.message)


def parse(data: bytes, path: str) -> tuple[Json, tuple[Fault, ...]]:
    """The document without its nulls (they mean absent), with warnings. Raises BadJsonError with line and column."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode()
        value: Json = msgspec.json.decode(data)
        warnings = _doubled_keys(text, path)
        return without_nulls(value), warnings
    except UnicodeDecodeError as error:
        where = _line_and_column(data[: error.start].decode())
        raise _bad(path, f"{where}: not UTF-8; save the file as UTF-8") from error
    except RecursionError as error:
        raise _bad(path, f"nested deeper than {MAX_DEPTH} levels; no plan needs that") from error
    except msgspec.DecodeError as error:
        raise _bad(path, _syntax(data, str(error))) from error


def _bad(path: str, message: str) -> BadJsonError:
    return BadJsonError(Fault(path=path, message=message))


def _syntax(data: bytes, said: str) -> str:
    """What the parser said, with line and column in place of its byte."""
    at = _BYTE.search(said)
    upto = data[: int(at[1])] if at else data
    what = _BYTE.sub("", said).removeprefix("JSON is malformed: ").strip()
    if what == "Input data was truncated":
        what = "the text ends in the middle of a value" if data.strip() else "the file is empty"
    return f"{_line_and_column(upto.decode(errors='replace'))}: not JSON: {what}; correct it or export the plan again"


def _line_and_column(upto: str) -> str:
    return f"line {upto.count(chr(10)) + 1} column {len(upto) - upto.rfind(chr(10))}"


def _doubled_keys(text: str, path: str) -> tuple[Fault, ...]:
    """A warning for each key that stands twice in one object; as in Ikasan the last one counts."""
    doubled: dict[str, None] = {}

    def note(pairs: list[tuple[str, Json]]) -> None:
        if len({key for key, _ in pairs}) != len(pairs):
            keys = [key for key, _ in pairs]
            doubled.update(dict.fromkeys(key for key in keys if keys.count(key) > 1))

    json.loads(text, object_pairs_hook=note)
    return tuple(
        Fault(path=path, message=f"the key '{key}' stands twice in one object; the last one counts", warning=True)
        for key in doubled
    )


def encode(value: Json) -> bytes:
    """The document as compact JSON."""
    return msgspec.json.encode(value)


def pretty(value: Json) -> bytes:
    """The document as JSON for people, with two blanks a level."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2)


def plain(value: object) -> Json:
    """A typed value as raw JSON."""
    found: Json = msgspec.json.decode(msgspec.json.encode(value))
    return found


def without_nulls(value: Json, depth: int = 0) -> Json:
    """The value without what is null, its lists without Java types: ``["java.util.ArrayList", [1]]`` is ``[1]``.

    Raises RecursionError when it nests too deep.
    """
    if depth > MAX_DEPTH:
        raise RecursionError
    match value:
        case dict():
            return {key: without_nulls(inner, depth + 1) for key, inner in value.items() if inner is not None}
        case [str(java), list(inside)] if _COLLECTION.fullmatch(java):
            return without_nulls(inside, depth + 1)
        case list():
            return [without_nulls(inner, depth + 1) for inner in value if inner is not None]
        case _:
            return value


def mapped(value: Json, text: Callable[[str], str], *, keys: Callable[[str], str] | None = None) -> Json:
    """The value with ``text`` applied to every string in it, and ``keys`` (if given) to every key."""
    match value:
        case str():
            return text(value)
        case dict():
            return {(keys(key) if keys else key): mapped(v, text, keys=keys) for key, v in value.items()}
        case list():
            return [mapped(inner, text, keys=keys) for inner in value]
        case _:
            return value


def objects(value: Json) -> list[JsonObject]:
    """The objects in a list; nothing when it is no list."""
    return [inner for inner in value if isinstance(inner, dict)] if isinstance(value, list) else []


def text_of(owner: Mapping[str, Json], key: str) -> str:
    """The string at a key; empty when there is none or it is something else."""
    value = owner.get(key)
    return value if isinstance(value, str) else ""


def step(path: str, key: str | int) -> str:
    """The JSON path one key or index further."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if _KEY.fullmatch(key) else f"{path}[{json.dumps(key, ensure_ascii=False)}]"


def kind_of(value: Json) -> str:
    """What a value is, in the words of JSON."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "an object"
