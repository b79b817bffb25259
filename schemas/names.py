"""Names and the ids derived from them.

Ids are made from what they name, never drawn: making the same thing twice gives the same id, so that starting it twice is
impossible rather than unlikely. The alphabet of an id is ``[A-Za-z0-9_-]`` plus ``%`` (escapes) and ``~`` (between the parts of
a run id), so every id is one MQTT topic level, one path component and one shell word.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NewType
from urllib.parse import quote, unquote

NodeName = NewType("NodeName", str)
PlanName = NewType("PlanName", str)
ContextName = NewType("ContextName", str)
JobId = NewType("JobId", str)
"""Ikasan's identifier of a job inside a plan: ``<agentName>-<jobName>``."""
LockName = NewType("LockName", str)
InstanceId = NewType("InstanceId", str)
RunId = NewType("RunId", str)
UserName = NewType("UserName", str)
RequestId = NewType("RequestId", str)

ANY_OF: Final = "any:"
"""In front of a label, in place of an agent's name: an agent group, any of the agents that have the label."""
_SAFE = re.compile(r"[A-Za-z0-9_-]*")
_INSTANCE = re.compile(r"(?P<plan>.*)-(?P<start>\d{8}T\d{6}Z)(?:-(?P<request>[0-9a-f]{8,32}))?", re.DOTALL)
_STAMP = "%Y%m%dT%H%M%SZ"
_SEPARATOR = "~"


class NameFormatError(ValueError):
    """A text that is not the id it was taken for; the message says which and why."""


@lru_cache(maxsize=4_096)
def escape(name: str) -> str:
    """One topic level for any name: everything outside ``[A-Za-z0-9_-]`` percent-encoded, after NFC normalisation."""
    if name.isascii() and _SAFE.fullmatch(name):
        return name
    return quote(unicodedata.normalize("NFC", name), safe="").replace(".", "%2E").replace("~", "%7E")


def unescape(level: str) -> str:
    """The name that ``escape`` was given."""
    return unquote(level)


def group_label(agent: str) -> str:
    """The label of an agent group (``any:LABEL``); empty: the name is one agent's."""
    return agent.removeprefix(ANY_OF) if agent.startswith(ANY_OF) else ""


def group_of(label: str) -> NodeName:
    """The name of the group of all agents that have a label."""
    return NodeName(f"{ANY_OF}{label}")


def job_id(agent: str, job: str) -> JobId:
    """The identifier by which events, dependencies and locks name a job (Ikasan: ``agentName + "-" + jobName``)."""
    return JobId(f"{agent}-{job}")


def instance_id(plan: PlanName, start: datetime, request: str | None = None) -> InstanceId:
    """The id of the instance of ``plan`` for one scheduled start, or for one request of a person.

    ``start`` is an aware datetime (whole seconds count); ``request`` is 8 to 32 lower-case hexadecimal digits.
    """
    stamp = start.astimezone(UTC).strftime(_STAMP)
    text = f"{escape(plan)}-{stamp}" if request is None else f"{escape(plan)}-{stamp}-{request}"
    if _INSTANCE.fullmatch(text) is None:
        raise NameFormatError(f"'{request}' cannot be part of an instance id: 8 to 32 hexadecimal digits are wanted")
    return InstanceId(text)


def plan_of(instance: InstanceId) -> PlanName:
    """The plan an instance id was made from."""
    match = _INSTANCE.fullmatch(instance)
    if match is None:
        raise NameFormatError(f"'{instance}' is not an instance id: PLAN-YYYYMMDDTHHMMSSZ is wanted")
    return PlanName(unescape(match["plan"]))


def run_id(instance: InstanceId, context: ContextName, job: JobId, attempt: int) -> RunId:
    """The id of one attempt (1, 2, ...) of a job; ``context`` is the one whose dependency fired."""
    return RunId(_SEPARATOR.join((instance, escape(context), escape(job), str(attempt))))


def instance_of(run: RunId) -> InstanceId:
    """The instance a run belongs to."""
    return InstanceId(run.partition(_SEPARATOR)[0])


def run_leaf(run: RunId) -> str:
    """What tells a run from the others of its instance: ``<context>~<job>~<attempt>``, one topic level."""
    return run.partition(_SEPARATOR)[2]


def run_from(instance: InstanceId, leaf: str) -> RunId:
    """The run of ``instance`` that ``run_leaf`` gave ``leaf`` for."""
    if leaf.count(_SEPARATOR) + 1 != len(("context", "job", "attempt")):
        raise NameFormatError(f"'{leaf}' is not the end of a run id: CONTEXT~JOB~ATTEMPT is wanted")
    return RunId(f"{instance}{_SEPARATOR}{leaf}")
