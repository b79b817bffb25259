"""Spans of time that are longer than anything: they are cut, so that no sum of a moment and a span leaves the calendar."""

from __future__ import annotations

from collections.abc import Iterator

from dashboard_node.core.plan_rules.survey import Survey, job_path, warning
from schemas.notifications import Deadlines
from schemas.plan import ClockJob, CommandJob, FileJob
from schemas.requests import Fault
from schemas.spans import LONGEST


def spans(survey: Survey) -> Iterator[Fault]:
    """All rules of this topic."""
    for path, seconds in _written(survey):
        if seconds > LONGEST.total_seconds():
            yield warning(path, f"longer than {LONGEST.days} days: counts as that")


def _written(survey: Survey) -> Iterator[tuple[str, float]]:
    """Every span of a plan in seconds, with its place."""
    plan = survey.plan
    yield "$.contextTtlMilliseconds", plan.context_ttl_milliseconds / 1000
    yield "$.agentAwayMilliseconds", plan.agent_away_milliseconds / 1000
    yield from _deadlines("$.deadlines", plan.deadlines)
    for job in survey.source.jobs:
        path = f"{job_path(job)} $"
        if isinstance(job, FileJob):
            yield f"{path}.minFileAgeSeconds", job.min_file_age_seconds
            yield f"{path}.pollSeconds", job.poll_seconds
            yield f"{path}.stableSeconds", job.stable_seconds
        if isinstance(job, ClockJob):
            yield f"{path}.recoveryTolerance", job.recovery_tolerance / 1000
        if isinstance(job, CommandJob):
            yield f"{path}.timeoutSeconds", job.timeout_seconds or 0.0
        yield from _deadlines(f"{path}.deadlines", job.deadlines)
        if isinstance(job, CommandJob) and job.retry is not None:
            yield f"{path}.retry.backOffSeconds", job.retry.back_off_seconds
            yield f"{path}.retry.maxBackOffSeconds", job.retry.max_back_off_seconds


def _deadlines(path: str, deadlines: Deadlines | None) -> Iterator[tuple[str, float]]:
    if deadlines is not None:
        yield f"{path}.startWithinSeconds", deadlines.start_within_seconds or 0.0
        yield f"{path}.endWithinSeconds", deadlines.end_within_seconds or 0.0
