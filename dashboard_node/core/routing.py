"""Who is told of what: a plan's notifications compiled for looking up, and what the settings say for all plans. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from msgspec import Struct

from schemas.notifications import OF_PLANS, Mail, Monitor, NotificationContext, NotificationDetails
from schemas.plan import PlanSource

USUAL: Final = frozenset(
    {
        Monitor.ERROR,
        Monitor.OVERDUE,
        Monitor.RUNNING_TIME,
        Monitor.LATE_START,
        Monitor.LATE_END,
        Monitor.MISSED,
        Monitor.AGENT_GONE,
    }
)
"""What is told of every plan unless the settings say otherwise: what went wrong."""
_Wanted = Callable[[NotificationContext], bool]
_KEY = re.compile(r"\$\{([^{}]+)\}")


class Rules(Struct, frozen=True, kw_only=True):
    """What the dashboard's settings say of notifications; given at start, never saved."""

    monitors: frozenset[Monitor] = USUAL
    """Told of every plan: on the topic, to webhooks, and by mail to ``to``."""
    webhooks: Mapping[str, frozenset[Monitor]] = {}
    """By name: what each is told of; empty: of whatever anybody is told of."""
    mail: bool = False
    """Whether there is a mail server."""
    to: tuple[str, ...] = ()
    """Who is told by mail of plans that have no ``notification/`` of their own."""
    overdue_tolerance: timedelta = timedelta()
    """So much later than its ``slaCronExpression`` may a file come."""
    agent_gone_after: timedelta = timedelta(minutes=1)
    """So long is an agent gone before anybody is told: a restart is no news."""
    page: str = ""
    """Address of the page, for the links in mails."""


class Routing:
    """Whom a plan version wants told."""

    def __init__(self, source: PlanSource) -> None:
        self._contexts = source.notifications
        self._details = {
            (details.monitor_type, details.job_name, details.child_context_name): details
            for details in reversed(source.notification_details)
        }

    @property
    def speaks(self) -> bool:
        """Whether the plan says anything of itself: then nobody is told in its stead."""
        return bool(self._contexts)

    def of_job(self, monitor: Monitor, job: str, contexts: Sequence[str]) -> Mail | None:
        """Whom to tell of a job, by name, that is in these contexts (the first one foremost); None: nobody is asked for."""
        for context in (*contexts, ""):
            details = self._details.get((monitor, job, context))
            if details is not None:
                return _mail_of_details(details)
        return self._of_context(monitor, lambda context: monitor in context.monitor_types)

    def of_plan(self, monitor: Monitor) -> Mail | None:
        """Whom to tell of the plan itself; None: nobody is asked for."""
        return self._of_context(
            monitor,
            lambda context: (
                monitor in context.plan_monitor_types or (monitor in OF_PLANS and monitor in context.monitor_types)
            ),
        )

    def _of_context(self, monitor: Monitor, wanted: _Wanted) -> Mail | None:
        return next((_mail_of_context(context, monitor) for context in self._contexts if wanted(context)), None)


def _mail_of_details(details: NotificationDetails) -> Mail:
    return Mail(
        to=details.email_send_to,
        cc=details.email_send_cc,
        bcc=details.email_send_bcc,
        subject=details.email_subject,
        body=details.email_body,
        subject_template=details.email_subject_template,
        body_template=details.email_body_template,
        html=details.html,
        parameters=details.email_notification_template_parameters,
    )


def _mail_of_context(context: NotificationContext, monitor: Monitor) -> Mail:
    """Lists by monitor outrank the general ones, each for itself (Ikasan)."""
    return Mail(
        to=context.email_send_to_by_monitor_type.get(monitor, context.email_send_to),
        cc=context.email_send_cc_by_monitor_type.get(monitor, context.email_send_cc),
        bcc=context.email_send_bcc_by_monitor_type.get(monitor, context.email_send_bcc),
        subject_template=context.email_subject_notification_template.get(monitor, ""),
        body_template=context.email_body_notification_template.get(monitor, ""),
        html=context.html,
    )


def addressed(mail: Mail, properties: Mapping[str, str]) -> Mail:
    """The mail with every ``${key}`` of its addresses and template names replaced; what has no value is left as it is."""
    return Mail(
        to=_addresses(mail.to, properties),
        cc=_addresses(mail.cc, properties),
        bcc=_addresses(mail.bcc, properties),
        subject=mail.subject,
        body=mail.body,
        subject_template=_filled(mail.subject_template, properties),
        body_template=_filled(mail.body_template, properties),
        html=mail.html,
        parameters=mail.parameters,
    )


def unaddressed(mail: Mail) -> str:
    """Why a mail would reach nobody, or not all it is meant for; empty: it can be sent."""
    everybody = (*mail.to, *mail.cc, *mail.bcc)
    if missing := sorted({key for address in everybody for key in _KEY.findall(address)}):
        return f"no value for ${{{missing[0]}}}: write it into the plan's properties"
    return "" if everybody else "nobody to tell: the plan names no address"


def _addresses(texts: Iterable[str], properties: Mapping[str, str]) -> tuple[str, ...]:
    """Each once; a value with commas stands for several."""
    parts = (part.strip() for text in texts for part in _filled(text, properties).split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def _filled(text: str, properties: Mapping[str, str]) -> str:
    return _KEY.sub(lambda found: properties.get(found[1].strip(), found[0]), text)
