"""Whether a raw document of a bundle has the shape of a schema: what is wrong, at its JSON path; what Ikasan writes besides."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from msgspec import Struct

from jobplan.bundle.raw import JsonObject, step
from schemas.near import nearest
from schemas.plan import Context, Job, LockParticipant, Parameter, Plan, ScheduledJob
from schemas.requests import Fault
from schemas.shapes import Place, Shape, Stranger, keys_of

_LIKE: Final = 0.75
"""How alike two keys are when one may be a typing error of the other."""


def fit(value: JsonObject, cls: type[Struct], *, partial: bool = False) -> tuple[JsonObject, tuple[Fault, ...]]:
    """The document with every scalar of the type that ``cls`` wants, and what is wrong with it.

    ``partial``: required keys may be missing.
    """
    shape = _Shape(group="an object")
    fitted = shape.fit(value, cls, partial=partial)
    return fitted, tuple(_faults(shape))


class _Shape(Shape):
    """Ikasan exports children with the plan's keys and participants with those of jobs; identifiers are derived."""

    def tolerated(self, cls: type[Struct]) -> frozenset[str]:
        """Keys that Ikasan writes and nothing needs."""
        return _tolerated(cls)


def _faults(shape: Shape) -> Iterator[Fault]:
    for wrong in shape.misfits:
        yield Fault(path=_path(wrong.place), message=wrong.message)
    for stranger in shape.strangers:
        yield Fault(path=_path(stranger.place), message=f"unknown key, ignored{_hint(stranger)}", warning=True)


def _hint(stranger: Stranger) -> str:
    """An export gives back a key that nothing reads; it may be meant for another one."""
    near = nearest(str(stranger.place[-1]), stranger.known, like=_LIKE)
    return f"; did you mean '{near}'?" if near else ""


def _path(place: Place) -> str:
    path = "$"
    for key in place:
        path = step(path, key)
    return path


@cache
def _tolerated(cls: type[Struct]) -> frozenset[str]:
    if issubclass(cls, Context):
        return keys_of(Plan) if cls is Context else frozenset()
    if issubclass(cls, Parameter):
        return frozenset({"type"})
    if issubclass(cls, LockParticipant):
        return keys_of(ScheduledJob) | {"identifier"}
    if issubclass(cls, Job | ScheduledJob):
        return frozenset({"identifier", "type"})
    return frozenset()
