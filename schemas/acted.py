"""What came of something that a person did to jobs, or would come of it: the data of the answer to an Act."""

from __future__ import annotations

from msgspec import Struct

from schemas.names import JobId, RunId


class ActedOn(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A job to which something was done, or (``reason``) was not."""

    context: str
    job: JobId
    name: str
    """What people call it: its name, or the identifier where several jobs of the plan have that name."""
    reason: str = ""


class Acted(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Data of the answer to an Act."""

    done: tuple[ActedOn, ...] = ()
    refused: tuple[ActedOn, ...] = ()
    """Of all jobs of a context or an instance, those to which it cannot be done."""


class ForeseenChange(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A status that would change; without ``job`` it is the context's."""

    context: str
    job: str = ""
    name: str = ""
    """What people call the job."""
    before: str
    after: str


class ForeseenStart(Struct, frozen=True, kw_only=True, rename="camel"):
    """A run that would be handed to an agent."""

    run: RunId
    context: str
    job: JobId
    name: str
    """What people call the job."""


class Foreseen(Struct, frozen=True, kw_only=True, rename="camel"):
    """Data of the answer to an Act with ``preview``: what would follow at once, in this instance."""

    changed: tuple[ForeseenChange, ...]
    starts: tuple[ForeseenStart, ...]
