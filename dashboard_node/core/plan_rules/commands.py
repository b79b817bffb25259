"""Rules of what single jobs say: commands, file patterns, return codes, days, retries. Their times are looked at elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isfinite
from typing import Final

from dashboard_node.core.plan_rules.survey import Survey, error, job_path, warning
from schemas.file_patterns import FilePatternError, expression, split
from schemas.plan import CommandJob, Context, FileJob, Parameter, Retry
from schemas.requests import Fault

_MOST_ATTEMPTS: Final = 1000
_NO_LIMIT: Final = -1


def commands(survey: Survey) -> Iterator[Fault]:
    """All rules of this topic."""
    for job in survey.source.jobs:
        path = f"{job_path(job)} $"
        if isinstance(job, CommandJob):
            yield from _command(job, path)
        elif isinstance(job, FileJob):
            yield from _files(job, path)
    for place in survey.places:
        yield from _parameters(place.context, place.path)


def _command(job: CommandJob, path: str) -> Iterator[Fault]:
    yield from _what_runs(job, path)
    for index, code in enumerate(job.successful_return_codes):
        if not re.fullmatch(r"\s*[+-]?[0-9]{1,10}\s*", str(code)):
            yield error(f"{path}.successfulReturnCodes[{index}]", f"'{code}' is no return code; write a whole number")
    for index, day in enumerate(job.days_of_week_to_run):
        if not 1 <= day <= 7:  # noqa: PLR2004 - the days of a week
            hint = "; Sunday is 1" if day == 0 else ""
            yield error(f"{path}.daysOfWeekToRun[{index}]", f"{day} is no day; write 1 (Sunday) to 7 (Saturday){hint}")
    if job.timeout_seconds is not None and not (isfinite(job.timeout_seconds) and job.timeout_seconds > 0):
        yield error(f"{path}.timeoutSeconds", f"{job.timeout_seconds}: write seconds, more than 0, or leave it out")
    yield from _execution_times(job, path)
    if job.retry is not None:
        yield from _retry(job.retry, f"{path}.retry")
    yield from _doubled(job.context_parameters, f"{path}.contextParameters")


def _what_runs(job: CommandJob, path: str) -> Iterator[Fault]:
    """A command line or a list of arguments, and how its process is wished to be."""
    written = bool(job.command_line.strip())
    if not written and not job.arguments and not job.template_job:
        yield error(f"{path}.commandLine", "there is no command; write what is to run")
    if written and job.arguments:
        yield error(f"{path}.arguments", "there is a commandLine as well; write one of the two")
    if job.arguments and not job.arguments[0].strip():
        yield error(f"{path}.arguments[0]", "empty: the first one names the program")
    for key, fault in job.process.faults():
        yield error(f"{path}.process.{key}", fault)


def _execution_times(job: CommandJob, path: str) -> Iterator[Fault]:
    """Minutes, which only notify; -1 means never."""
    for key, minutes in (("minExecutionTime", job.min_execution_time), ("maxExecutionTime", job.max_execution_time)):
        if minutes < _NO_LIMIT:
            yield error(f"{path}.{key}", f"{minutes}: write minutes, or -1 for none")
    if (
        _NO_LIMIT not in {job.min_execution_time, job.max_execution_time}
        and job.min_execution_time > job.max_execution_time
    ):
        yield warning(
            f"{path}.minExecutionTime",
            f"longer than maxExecutionTime ({job.min_execution_time} > {job.max_execution_time} minutes): every run notifies",
        )


def _retry(retry: Retry, path: str) -> Iterator[Fault]:
    if not 1 <= retry.attempts <= _MOST_ATTEMPTS:
        yield error(
            f"{path}.attempts",
            f"{retry.attempts}: write 1 to {_MOST_ATTEMPTS}; the first run counts, so 1 means no retry",
        )
    if not (isfinite(retry.back_off_seconds) and retry.back_off_seconds >= 0):
        yield error(f"{path}.backOffSeconds", f"{retry.back_off_seconds}: write seconds, 0 or more")
    if not (isfinite(retry.back_off_factor) and retry.back_off_factor >= 1):
        yield error(f"{path}.backOffFactor", f"{retry.back_off_factor}: write 1 or more; 1 means always the same wait")
    if not (isfinite(retry.max_back_off_seconds) and retry.max_back_off_seconds >= 0):
        yield error(f"{path}.maxBackOffSeconds", f"{retry.max_back_off_seconds}: write seconds, 0 or more")
    elif retry.max_back_off_seconds < retry.back_off_seconds:
        yield warning(f"{path}.maxBackOffSeconds", "shorter than backOffSeconds: every wait is cut to it")


def _files(job: FileJob, path: str) -> Iterator[Fault]:
    if not job.filenames:
        yield error(f"{path}.filenames", "empty: nothing can match; write 'directory/regular expression'")
    for index, pattern in enumerate(job.filenames):
        where = f"{path}.filenames[{index}]"
        _, name = split(pattern)
        if not name.strip():
            yield error(
                where, f"'{pattern}' says no file name; write a regular expression after the last '/', '.*' for any"
            )
        elif reason := _no_regex(name):
            yield error(where, f"'{name}' is no regular expression ({reason}); for any text write '.*'")
    if job.directory_depth < 1:
        yield error(
            f"{path}.directoryDepth", f"{job.directory_depth}: nothing is looked at; write 1 for the directory alone"
        )
    if job.min_file_age_seconds < 0:
        yield error(f"{path}.minFileAgeSeconds", f"{job.min_file_age_seconds}: write seconds, 0 or more")
    for key, seconds in (("pollSeconds", job.poll_seconds), ("stableSeconds", job.stable_seconds)):
        if not (isfinite(seconds) and seconds >= 0):
            yield error(f"{path}.{key}", f"{seconds}: write seconds, 0 or more")
    if job.compress_moved and job.move_directory in {"", "."}:
        yield warning(f"{path}.compressMoved", "there is no moveDirectory: nothing is moved, and nothing packed")


def _no_regex(name: str) -> str:
    """Why a name is no regular expression; empty when it is one."""
    try:
        expression(name, lambda _: "x")
    except FilePatternError as fault:
        return str(fault)
    return ""


def _parameters(context: Context, path: str) -> Iterator[Fault]:
    yield from _doubled(context.context_parameters, f"{path}.contextParameters")


def _doubled(parameters: tuple[Parameter, ...], path: str) -> Iterator[Fault]:
    """Every parameter has a name, and one of its own."""
    seen: set[str] = set()
    for index, parameter in enumerate(parameters):
        if not parameter.name.strip():
            yield error(f"{path}[{index}].name", "the parameter has no name; give it one")
        elif "=" in parameter.name or "\x00" in parameter.name:
            yield error(f"{path}[{index}].name", f"'{parameter.name}' cannot be the name of a variable; leave '=' out")
        elif parameter.name in seen:
            yield warning(f"{path}[{index}].name", f"'{parameter.name}' is already there; the last one counts")
        seen.add(parameter.name)
