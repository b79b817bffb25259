"""Rules of notifications: who is to be told, of which jobs, with which templates; and of deadlines.

Paths are ``notification/N $.key`` and ``notification_details/N $.key``, N counted from 0; whoever read the files knows
their names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import time
from typing import Final

from dashboard_node.core.plan_rules.survey import Hints, Survey, error, job_path, warning
from schemas.notifications import Deadlines, Monitor, NotificationContext, NotificationDetails
from schemas.plan import FileJob
from schemas.requests import Fault

_BY_TYPE: Final = (
    ("emailSendToByMonitorType", "email_send_to_by_monitor_type"),
    ("emailSendCcByMonitorType", "email_send_cc_by_monitor_type"),
    ("emailSendBccByMonitorType", "email_send_bcc_by_monitor_type"),
    ("emailSubjectNotificationTemplate", "email_subject_notification_template"),
    ("emailBodyNotificationTemplate", "email_body_notification_template"),
)
_NOT_SENT: Final = "attachments are not sent: a mail says where the log is read; leave it out"


def notifications(survey: Survey) -> Iterator[Fault]:
    """All rules of this topic."""
    source = survey.source
    for number, context in enumerate(source.notifications):
        yield from _context(f"notification/{number} $", context, survey)
    hints = Hints()
    names = {job.job_name for place in survey.places for job in place.context.scheduled_jobs}
    for number, details in enumerate(source.notification_details):
        yield from _details(f"notification_details/{number} $", details, survey, hints, names)
    yield from _deadlines("$.deadlines", source.plan.deadlines)
    for job in source.jobs:
        yield from _deadlines(f"{job_path(job)} $.deadlines", job.deadlines)


def _context(path: str, context: NotificationContext, survey: Survey) -> Iterator[Fault]:
    """The plan's own; each type it lists needs somebody who is told, and a template unless ours will do."""
    yield from _of_this_plan(path, context.context_name, survey)
    asked = {*context.monitor_types, *context.plan_monitor_types}
    for key, field in _BY_TYPE:
        by_type: Mapping[str, object] = getattr(context, field)
        for name in by_type:
            where = f"{path}.{key}.{name}"
            if name not in {monitor.value for monitor in Monitor}:
                yield warning(where, f"'{name}' is no monitor type; there are {', '.join(_monitors())}")
            elif Monitor(name) not in asked:
                yield warning(
                    where, f"{name} is not in monitorTypes, so nobody is told; add it there or leave this out"
                )
    for monitor in sorted(asked):
        if not (context.email_send_to or context.email_send_to_by_monitor_type.get(monitor)):
            yield warning(f"{path}.monitorTypes", f"nobody to tell of {monitor}: write addresses into emailSendTo")
        if monitor not in context.email_body_notification_template:
            what = f"{monitor} has no emailBodyNotificationTemplate: the mail is written by our own template"
            yield warning(f"{path}.monitorTypes", what)
    if context.attachment:
        yield warning(f"{path}.attachment", _NOT_SENT)


def _details(path: str, details: NotificationDetails, survey: Survey, hints: Hints, names: set[str]) -> Iterator[Fault]:
    """Of one job: it and its context have to be there, or nobody will ever be told."""
    yield from _of_this_plan(path, details.context_name, survey)
    if details.job_name not in names:
        hint = hints.nearest(details.job_name, names)
        yield warning(f"{path}.jobName", f"the plan has no job '{details.job_name}'{hint}: nobody will be told")
    contexts = {place.context.name for place in survey.places}
    inside = details.child_context_name
    if inside and inside not in contexts:
        hint = hints.nearest(inside, contexts)
        yield warning(f"{path}.childContextName", f"the plan has no context '{inside}'{hint}: nobody will be told")
    if not details.email_send_to:
        yield warning(f"{path}.emailSendTo", "nobody to tell: for this job the plan's own addresses do not count")
    if details.monitor_type is Monitor.OVERDUE and not _can_be_overdue(details.job_name, survey):
        yield warning(f"{path}.monitorType", f"'{details.job_name}' is never OVERDUE: it has no slaCronExpression")
    if details.attachment:
        yield warning(f"{path}.attachment", _NOT_SENT)


def _of_this_plan(path: str, name: str, survey: Survey) -> Iterator[Fault]:
    if name and name != survey.plan.name:
        yield warning(
            f"{path}.contextName", f"'{name}' is another plan; it counts for '{survey.plan.name}' all the same"
        )


def _can_be_overdue(name: str, survey: Survey) -> bool:
    return any(
        isinstance(job, FileJob) and job.sla_cron_expression for job in survey.source.jobs if job.job_name == name
    )


def _deadlines(path: str, deadlines: Deadlines | None) -> Iterator[Fault]:
    """Times of day that are times of day, spans that are positive, and an end that does not come before the start."""
    if deadlines is None:
        return
    for key, text in (("startBy", deadlines.start_by), ("endBy", deadlines.end_by)):
        if text and time_of_day(text) is None:
            yield error(f"{path}.{key}", f"'{text}' is no time of day; write it as 06:30 or 06:30:00")
    spans = {
        "startWithinSeconds": deadlines.start_within_seconds,
        "endWithinSeconds": deadlines.end_within_seconds,
    }
    for key, seconds in spans.items():
        if seconds is not None and seconds <= 0:
            yield error(f"{path}.{key}", f"{seconds:g}: write seconds after the opening of the instance, more than 0")
    first, last = deadlines.start_within_seconds, deadlines.end_within_seconds
    if first is not None and last is not None and last < first:
        yield warning(f"{path}.endWithinSeconds", "shorter than startWithinSeconds: it will be late before it is late")


def time_of_day(text: str) -> time | None:
    """``HH:MM`` or ``HH:MM:SS``; None: it is none."""
    try:
        found = time.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is None and ":" in text and found.microsecond == 0 else None


def _monitors() -> list[str]:
    return [monitor.value for monitor in Monitor if monitor is not Monitor.TEST]
