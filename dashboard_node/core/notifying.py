"""What people ask about notifications: to be left alone for a while, to be told again, to see whether they arrive."""

from __future__ import annotations

from typing import assert_never

import msgspec
from msgspec import Raw

from dashboard_node.core import outbox
from dashboard_node.core.facts import facts_of
from dashboard_node.core.step import Step
from schemas.names import PlanName, RequestId, escape
from schemas.notifications import Mail, Monitor, Notification, NotificationContext
from schemas.requests import Answer, MuteNotifications, NotificationRaised, TestNotification, UnmuteNotifications

NotificationRequest = MuteNotifications | UnmuteNotifications | TestNotification


def asked(step: Step, name: RequestId, request: NotificationRequest) -> Answer:
    """Decide a request."""
    plan = request.plan or outbox.EVERYTHING
    match request:
        case MuteNotifications():
            if request.until <= step.now:
                return Answer(ok=False, reason=f"{request.until.isoformat()} has passed; mute until a time to come")
            outbox.mute(step, plan, request.until, request.reason)
            return Answer(ok=True)
        case UnmuteNotifications():
            if plan not in step.state.mutes:
                return Answer(ok=False, reason=f"{_named(plan)} is not muted")
            outbox.unmute(step, plan)
            return Answer(ok=True)
        case TestNotification():
            return _test(step, name, plan)
        case _:
            assert_never(request)


def _test(step: Step, name: RequestId, plan: PlanName) -> Answer:
    """Raise one that says that it is a test, for everybody whom the plan ever wants told."""
    told = Notification(
        id=f"{escape(plan)}~{escape(step.user)}~{escape(name)}~{Monitor.TEST}",
        monitor=Monitor.TEST,
        at=step.now,
        plan=plan,
        text=f"a test, asked for by {step.user or 'a person'}: nothing has happened",
    )
    outbox.tell(step, told, _everybody(step, plan), facts_of(step.state, told))
    return Answer(ok=True, data=Raw(msgspec.json.encode(NotificationRaised(id=told.id))))


def _everybody(step: Step, plan: PlanName) -> Mail:
    """All addresses the plan's newest version names; without any, those of the settings."""
    if not plan:
        return Mail(to=step.state.telling.to)
    source = step.state.versions[plan, step.state.plans[plan].version].source
    found = [address for context in source.notifications for address in _addresses(context)]
    found += [
        address
        for details in source.notification_details
        for address in (*details.email_send_to, *details.email_send_cc, *details.email_send_bcc)
    ]
    return Mail(to=tuple(dict.fromkeys(found)) or step.state.telling.to)


def _addresses(context: NotificationContext) -> list[str]:
    lists = [context.email_send_to, context.email_send_cc, context.email_send_bcc]
    lists += context.email_send_to_by_monitor_type.values()
    lists += context.email_send_cc_by_monitor_type.values()
    lists += context.email_send_bcc_by_monitor_type.values()
    return [address for one in lists for address in one]


def _named(plan: PlanName) -> str:
    return f"plan '{plan}'" if plan else "everything together"
