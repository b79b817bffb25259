"""Rules of what must not stand in a plan: literals that look like secrets. Plans are on topics, in exports, in mails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from dashboard_node.core.plan_rules.survey import Survey, error, job_path, warning
from schemas.plan import CommandJob, Parameter
from schemas.requests import Fault

_REFERENCE: Final = "secret:"
_TELLING_NAME: Final = re.compile(
    r"pass(word|wd|phrase)?|pwd|secret|token|api[_.-]?key|private[_.-]?key|access[_.-]?key|credentials?", re.IGNORECASE
)
_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_KEY: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}"
)
_IN_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/:@'\"]+:(?P<value>[^\s/@'\"]+)@")
_IN_COMMAND: Final = re.compile(
    r"(?:--?(?P<option>[A-Za-z][\w-]*)(?:=|\s+)|\b(?P<variable>[A-Za-z_]\w*)=)(?P<value>\"[^\"]*\"|'[^']*'|[^\s;|&)]+)"
)
_MOST: Final = 100_000
"""Characters of one command that are looked at."""


def secrets(survey: Survey, *, refuse: bool = False) -> Iterator[Fault]:
    """A warning for each literal that looks secret (``refuse``: an error). No message repeats the literal."""
    fault = error if refuse else warning
    for job in survey.source.jobs:
        if not isinstance(job, CommandJob):
            continue
        path = f"{job_path(job)} $"
        for where, what in (*_parameters(job.context_parameters, f"{path}.contextParameters"), *_command(job, path)):
            yield fault(where, what)
    for place in survey.places:
        for where, what in _parameters(place.context.context_parameters, f"{place.path}.contextParameters"):
            yield fault(where, what)


def _parameters(parameters: tuple[Parameter, ...], path: str) -> Iterator[tuple[str, str]]:
    for index, parameter in enumerate(parameters):
        for key, value in (("value", parameter.value), ("defaultValue", parameter.default_value)):
            if value and ((_is_telling(parameter.name) and _is_literal(value)) or _is_key(value)):
                yield (
                    f"{path}[{index}].{key}",
                    f"'{parameter.name}' looks like a secret; write secret:NAME and keep the value on the agent",
                )


def _command(job: CommandJob, path: str) -> Iterator[tuple[str, str]]:
    """What stands in a command, everybody reads in ``ps``."""
    texts = [(f"{path}.commandLine", job.command_line[:_MOST])]
    if job.arguments:
        texts.append((f"{path}.arguments", " ".join(job.arguments)[:_MOST]))
    for where, text in texts:
        if (name := _in_command(text)) is not None:
            named = f"what follows '{name}' looks" if name else "something here looks"
            yield where, f"{named} like a secret; use a parameter with the value secret:NAME"


def _in_command(text: str) -> str | None:
    """The name of the first thing that looks secret (empty: it has none); None: nothing does."""
    for found in _IN_COMMAND.finditer(text):
        name = found["option"] or found["variable"]
        if _is_telling(name) and _is_literal(found["value"].strip("'\"")):
            return name
    in_url = _IN_URL.search(text)
    return "" if _is_key(text) or (in_url is not None and _is_literal(in_url["value"])) else None


def _is_telling(name: str) -> bool:
    """Whether a name says that its value is a secret: as a whole, or by one of its parts (``DB_PASSWORD``, ``apiKey``)."""
    parts = _PARTS.findall(name)
    candidates = [*parts, *(first + second for first, second in pairwise(parts))]
    return any(_TELLING_NAME.fullmatch(candidate) for candidate in candidates)


def _is_literal(value: str) -> bool:
    """Whether this is a value itself, and not where it comes from: a reference, a variable, a file, or nothing."""
    return bool(value.strip()) and not value.startswith((_REFERENCE, "$", "`", "/", "~", "<", "@", "-", "${", "[["))


def _is_key(value: str) -> bool:
    return _KEY.search(value) is not None
