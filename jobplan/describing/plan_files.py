"""The JSON Schema of plan files, so that an editor completes and checks them while they are written.

It is as generous as the reader: keys that nobody knows pass, and so does the shorthand of Ikasan's documents. What a schema
cannot say (cycles, names that nothing has, cron expressions) the plan rules say: ``jobplan plan validate``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from jobplan.bundle.raw import Json, JsonObject
from jobplan.describing.structs import schemas_of
from schemas.plan import ClockJob, CommandJob, FileJob, GlobalJob, Plan, type_of_artefact

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_HERE: Final = "#/$defs/{name}"


class Kind(StrEnum):
    """What a file holds."""

    PLAN = "plan"
    """A context file, or one plan file with its jobs inside."""
    CLOCK = "clock"
    FILE = "file"
    COMMAND = "command"
    GLOBAL = "global"


KINDS: Final[dict[Kind, type[Struct]]] = {
    Kind.PLAN: Plan,
    Kind.CLOCK: ClockJob,
    Kind.FILE: FileJob,
    Kind.COMMAND: CommandJob,
    Kind.GLOBAL: GlobalJob,
}
_JOBS: Final[tuple[type[Struct], ...]] = (ClockJob, FileJob, CommandJob, GlobalJob)


def plan_schema(kind: Kind = Kind.PLAN) -> JsonObject:
    """The schema of a file of that kind."""
    _, known = schemas_of([Plan, *_JOBS], _HERE)
    for job in _JOBS:
        _leave_out(known[job.__name__], "type")
    _shorthand(known)
    root: JsonObject = {"$ref": _HERE.format(name=KINDS[kind].__name__)}
    if kind is Kind.PLAN:
        root["properties"] = {"jobs": _jobs_inside()}
    return {"$schema": _DIALECT, "title": f"jobplan: {kind}", **root, "$defs": dict(sorted(known.items()))}


def _jobs_inside() -> JsonObject:
    """``jobs`` of one plan file: a list, or lists by kind."""
    every: Json = {"anyOf": [{"$ref": _HERE.format(name=job.__name__)} for job in _JOBS]}
    listed: JsonObject = {"type": "array", "items": every}
    by_kind: JsonObject = {"type": "object", "properties": dict.fromkeys(type_of_artefact, listed)}
    return {
        "description": "The definitions of the plan's jobs, in a plan file of its own: a list, or lists by kind.",
        "anyOf": [listed, by_kind],
    }


def _shorthand(known: dict[str, JsonObject]) -> None:
    """Bare texts and ``job`` in the place of an identifier, as Ikasan's documents write them."""
    for name, key in (("Operator", "identifier"), ("JobDependency", "jobIdentifier")):
        _properties(known[name])["job"] = {"type": "string", "description": f"Shorthand for {key}."}
        _leave_out(known[name], key)
        known[f"{name}Written"] = {"anyOf": [{"type": "string"}, {"$ref": _HERE.format(name=name)}]}
    for key in ("and", "or", "not"):
        _properties(known["Grouping"])[key] = _list_of("OperatorWritten")
    for context in ("Context", "Plan"):
        _properties(known[context])["jobDependencies"] = _list_of("JobDependencyWritten")


def _list_of(name: str) -> JsonObject:
    return {"type": "array", "items": {"$ref": _HERE.format(name=name)}}


def _leave_out(schema: JsonObject, key: str) -> None:
    required = schema.get("required")
    if isinstance(required, list) and key in required:
        required.remove(key)


def _properties(schema: JsonObject) -> JsonObject:
    found = schema["properties"]
    if not isinstance(found, dict):
        raise TypeError("an object has properties")
    return found
