"""Rules of business calendars: what a plan names is there, and says something."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from dashboard_node.core.plan_rules.survey import Survey, error, job_path, warning
from schemas.plan import Calendars, ClockJob, OnHoliday
from schemas.requests import Fault


def calendars(survey: Survey, known: Collection[str] | None) -> Iterator[Fault]:
    """All rules of this topic. ``known``: the calendars that are there; None: nobody knows."""
    plan = survey.plan
    yield from _named(survey, "$", plan.calendars, plan.on_holiday, known)
    for job in survey.source.jobs:
        if isinstance(job, ClockJob):
            yield from _named(survey, f"{job_path(job)} $", job.calendars, job.on_holiday, known)


def _named(
    survey: Survey, path: str, wish: Calendars | None, on_holiday: OnHoliday, known: Collection[str] | None
) -> Iterator[Fault]:
    names = () if wish is None else wish.names
    if not names:
        if on_holiday is OnHoliday.NEXT_WORKING_DAY:
            yield warning(f"{path}.onHoliday", "without calendars nothing is a holiday; name one in 'calendars'")
        return
    for name in dict.fromkeys(names):
        if known is not None and name not in known:
            hint = survey.hints.nearest(name, known)
            yield error(f"{path}.calendars", f"there is no calendar '{name}'{hint}; import it first")
        if names.count(name) > 1:
            yield warning(f"{path}.calendars", f"'{name}' is named twice; once is enough, and never in both lists")
