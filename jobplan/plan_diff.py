"""What changed from one version of a plan to another: jobs, contexts, dependencies, locks, fields, each told once. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from schemas.plan import PlanSource

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_IDENTITIES: Final = (("name",), ("agentName", "jobName"), ("jobIdentifier",), ("contextIdentifier",))
"""By which keys the elements of a list are known again, wherever they stand in it."""
_WHOLE: Final = frozenset({"logicalGrouping"})
"""What is read as one expression, not key by key."""


class ChangeKind(StrEnum):
    """What happened to a part of a plan."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Change(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One difference. ``before`` and ``after`` are JSON; a field that is absent has its default."""

    where: str
    """``job AGENT-JOB``, ``context NAME`` (nested ones with a slash)."""
    field: str = ""
    """Path inside of it; empty: the thing as a whole."""
    change: ChangeKind
    before: Json = None
    after: Json = None


def differences(old: PlanSource, new: PlanSource) -> tuple[Change, ...]:
    """Everything that is different: jobs by identifier, then contexts from the outermost inwards."""
    jobs = [{f"job {job.id}": _plain(job) for job in source.jobs} for source in (old, new)]
    contexts = [dict(_contexts(_plain(source.plan), "")) for source in (old, new)]
    return (*_things(*jobs), *_things(*contexts))


def _plain(value: Struct) -> dict[str, Json]:
    found: dict[str, Json] = msgspec.json.decode(msgspec.json.encode(value))
    return found


def _contexts(context: dict[str, Json], above: str) -> Iterator[tuple[str, dict[str, Json]]]:
    """Each context by its path, without those inside of it."""
    path = f"{above}/{context.get('name', '')}".strip("/")
    yield f"context {path}", {key: value for key, value in context.items() if key != "contexts"}
    inside = context.get("contexts")
    for inner in inside if isinstance(inside, list) else []:
        if isinstance(inner, dict):
            yield from _contexts(inner, path)


def _things(old: Mapping[str, dict[str, Json]], new: Mapping[str, dict[str, Json]]) -> Iterator[Change]:
    for where in dict.fromkeys((*old, *new)):
        if where not in new:
            yield Change(where=where, change=ChangeKind.REMOVED)
        elif where not in old:
            yield Change(where=where, change=ChangeKind.ADDED)
        else:
            yield from _inside(where, "", old[where], new[where])


def _inside(where: str, path: str, old: Json, new: Json) -> Iterator[Change]:
    """The differences of two values at one place."""
    before, after = _by_name(old), _by_name(new)
    if before is None or after is None:
        if old != new:
            yield _change(where, path, old, new)
        return
    listed = isinstance(old, list)
    for key in dict.fromkeys((*before, *after)):
        place = f"{path}[{key}]" if listed else f"{path}.{key}".lstrip(".")
        if key in _WHOLE or key not in before or key not in after:
            one, other = before.get(key), after.get(key)
            if one != other:
                yield _change(where, place, one, other)
        else:
            yield from _inside(where, place, before[key], after[key])


def _change(where: str, path: str, before: Json, after: Json) -> Change:
    kind = ChangeKind.ADDED if before is None else ChangeKind.REMOVED if after is None else ChangeKind.CHANGED
    return Change(where=where, field=path, change=kind, before=before, after=after)


def _by_name(value: Json) -> dict[str, Json] | None:
    """The parts of a value by what they are known by; None: it is compared as a whole."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list) or not all(isinstance(inner, dict) for inner in value):
        return None
    for keys in _IDENTITIES:
        names = ["-".join(str(inner.get(key, "")) for key in keys) for inner in value if isinstance(inner, dict)]
        if all(name.strip("-") for name in names) and len(set(names)) == len(names):
            return dict(zip(names, value, strict=True))
    return None


def told(value: Json) -> str:
    """A value for a person: a dependency as an expression, anything else as compact JSON; absent is a dash."""
    if value is None:
        return "-"
    if isinstance(value, dict) and "logicalGrouping" in value and isinstance(value.get("logicalGrouping"), dict):
        return expression(value["logicalGrouping"])
    if isinstance(value, dict) and value and value.keys() <= {"and", "or", "not", "logicalGrouping"}:
        return expression(value)
    return msgspec.json.encode(value).decode()


def expression(grouping: Json) -> str:
    """A grouping as an expression: ``and[a, b] or[c] not[d]``; what is nested stands in brackets."""
    if not isinstance(grouping, dict):
        return "-"
    parts = []
    for word in ("and", "or", "not"):
        terms = grouping.get(word)
        if isinstance(terms, list) and terms:
            parts.append(f"{word}[{', '.join(_term(term) for term in terms)}]")
    nested = grouping.get("logicalGrouping")
    if nested is not None:
        parts.append(f"({expression(nested)})")
    return " ".join(parts) or "nothing"


def _term(term: Json) -> str:
    if not isinstance(term, dict):
        return str(term)
    nested = term.get("logicalGrouping")
    return f"({expression(nested)})" if nested is not None else str(term.get("identifier", ""))
