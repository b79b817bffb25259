"""Notifications on their way: raised once, saved with what caused them, sent until they arrive or are given up.

The core asks for a delivery only in the step that saves that it does; so a notification is never lost, and after a crash it may
be sent a second time, with the same id. Each attempt makes the next one due; a delivery that succeeds takes it out again. An
attempt of which nobody said how it went, because the dashboard died meanwhile, is followed by the next as soon as it is back.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from dashboard_node.core.effects import Deliver, Delivered
from dashboard_node.core.records import MuteRecord, NotificationRecord
from dashboard_node.core.routing import addressed, unaddressed
from dashboard_node.core.state import State
from dashboard_node.core.step import Step
from schemas.names import InstanceId, PlanName, UserName
from schemas.notifications import Delivery, DeliveryState, Mail, Monitor, Notification

MQTT: Final = "mqtt"
MAIL: Final = "mail"
WEBHOOK: Final = "webhook "
"""In front of a webhook's name."""
ATTEMPTS: Final = 10
"""So often is a delivery tried; with the waits between them that is some four and a half hours."""
FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=1)
MOST_WAITING: Final = 1000
"""So many notifications may wait; what comes on top of them fails at once, and that is seen."""
EVERYTHING: Final = PlanName("")
"""In place of a plan's name: all plans, and what is about none."""


def wait_after(attempts: int) -> timedelta:
    """How long after an attempt the next one is due: 1, 2, 4, ... minutes, an hour at most."""
    return min(FIRST_WAIT * (1 << min(attempts - 1, 10)), LONGEST_WAIT)


def is_wanted(state: State, monitor: Monitor, asked_for: Mail | None) -> bool:
    """Whether anybody is told: the plan asks for it, or the settings do for all plans."""
    return asked_for is not None or monitor in state.telling.monitors


def tell(step: Step, told: Notification, asked_for: Mail | None, facts: dict[str, str]) -> None:
    """Raise a notification, unless it has been raised before. ``facts``: template parameters, which the plan's own outrank."""
    if told.id in step.state.notifications or not is_wanted(step.state, told.monitor, asked_for):
        return
    properties = step.state.properties.get(PlanName(told.plan), {})
    mail = addressed(_mail(step.state, told, asked_for), properties)
    mail = replace(mail, parameters={**facts, **mail.parameters})
    muted = mute_of(step.state, told.plan) is not None and told.monitor is not Monitor.TEST
    deliveries = {channel: _first(step, channel, mail, muted=muted) for channel in _channels(step.state, told, mail)}
    record = NotificationRecord(notification=told, mail=mail if MAIL in deliveries else Mail(), deliveries=deliveries)
    step.put_notification(record)
    _note(step, record, "muted" if muted else "raised", f"{told.monitor}: {told.text}")
    for channel, delivery in deliveries.items():
        if delivery.state is DeliveryState.FAILED:
            _note(step, record, "failed", f"{told.monitor} by {channel}: {delivery.error}")
    _go_on(step, record)


def _mail(state: State, told: Notification, asked_for: Mail | None) -> Mail:
    """The plan's own mail; of a plan that says nothing of itself, that of the settings."""
    if asked_for is not None:
        return asked_for
    plan = state.plans.get(PlanName(told.plan))
    speaks = plan is not None and state.routing(plan.name, plan.version).speaks
    return Mail() if speaks or told.monitor not in state.telling.monitors else Mail(to=state.telling.to)


def _channels(state: State, told: Notification, mail: Mail) -> list[str]:
    hooks = [
        f"{WEBHOOK}{name}"
        for name, monitors in sorted(state.telling.webhooks.items())
        if not monitors or told.monitor in monitors
    ]
    return [MQTT, *([MAIL] if mail.to or mail.cc or mail.bcc else []), *hooks]


def _first(step: Step, channel: str, mail: Mail, *, muted: bool) -> Delivery:
    """How a delivery begins: to be tried at once, unless it is known already that it cannot succeed."""
    if muted:
        return Delivery(state=DeliveryState.MUTED, ended=step.now)
    wrong = ""
    if len(step.state.undelivered) >= MOST_WAITING:
        wrong = f"{MOST_WAITING} notifications wait already"
    elif channel == MAIL:
        wrong = (
            unaddressed(mail) if step.state.telling.mail else "there is no mail server: set [notifications.mail] host"
        )
    return Delivery(next_at=step.now) if not wrong else _failed(step, Delivery(), wrong)


def _failed(step: Step, delivery: Delivery, error: str) -> Delivery:
    return replace(delivery, state=DeliveryState.FAILED, next_at=None, ended=step.now, error=error)


def _go_on(step: Step, record: NotificationRecord) -> None:
    """Try what is due, and have the record come up again: for the next attempt, or to be forgotten."""
    deliveries = dict(record.deliveries)
    for channel, delivery in record.deliveries.items():
        if delivery.next_at is None or delivery.next_at > step.now:
            continue
        if delivery.attempts >= ATTEMPTS:
            deliveries[channel] = _failed(step, delivery, delivery.error or "nobody said how the last attempt went")
            text = f"{record.notification.monitor} by {channel}: given up after {ATTEMPTS} attempts"
            _note(step, record, "failed", f"{text}: {deliveries[channel].error}")
            continue
        attempts = delivery.attempts + 1
        deliveries[channel] = replace(delivery, attempts=attempts, next_at=step.now + wait_after(attempts), error="")
        mail = record.mail if channel == MAIL else Mail()
        step.effects.append(Deliver(record.notification, channel, mail))
    record = replace(record, deliveries=deliveries)
    step.put_notification(record)
    step.state.timers.set(("notification", record.notification.id), next_of(step.state, record))


def cut_off(record: NotificationRecord) -> NotificationRecord:
    """As a new life takes it up: what an earlier one was about to send when it ended is due at once."""
    deliveries = {
        channel: replace(one, next_at=record.notification.at)
        if one.next_at is not None and one.attempts and not one.error
        else one
        for channel, one in record.deliveries.items()
    }
    return replace(record, deliveries=deliveries)


def next_of(state: State, record: NotificationRecord) -> datetime | None:
    """When a notification comes up next."""
    waits = [one.next_at for one in record.deliveries.values() if one.next_at is not None]
    ended = [one.ended for one in record.deliveries.values() if one.ended is not None]
    return min(waits) if waits else max(ended, default=record.notification.at) + state.retention


def due(step: Step, name: str) -> None:
    """The next attempt is due; or, when all is over, it may be forgotten: not before its instance is, for ids come again."""
    record = step.state.notifications[name]
    if record.waiting:
        _go_on(step, record)
    elif InstanceId(record.notification.instance) in step.state.instances:
        step.state.timers.set(("notification", name), step.now + max(step.state.retention, FIRST_WAIT))
    else:
        step.forget_notification(name)


def delivered(step: Step, event: Delivered) -> None:
    """How an attempt went. What is over stays over: a late word of an earlier attempt changes nothing."""
    record = step.state.notifications.get(event.notification)
    delivery = record.deliveries.get(event.channel) if record is not None else None
    if record is None or delivery is None or delivery.state is not DeliveryState.PENDING:
        return
    what = f"{record.notification.monitor} by {event.channel}"
    if not event.error:
        delivery = replace(delivery, state=DeliveryState.SENT, next_at=None, ended=step.now, error="")
        _note(step, record, "sent", what)
    elif event.hopeless:
        delivery = _failed(step, delivery, event.error)
        _note(step, record, "failed", f"{what}: {event.error}")
    else:
        delivery = replace(delivery, error=event.error)
    _go_on(step, replace(record, deliveries={**record.deliveries, event.channel: delivery}))


# Mutes


def mute_of(state: State, plan: str) -> MuteRecord | None:
    """The mute that keeps people from being told of a plan; None: they are told."""
    return state.mutes.get(EVERYTHING) or state.mutes.get(PlanName(plan))


def mute(step: Step, plan: PlanName, until: datetime, reason: str) -> None:
    """Tell nobody of a plan (empty: of anything) until then; what is raised meanwhile is on record as muted."""
    from_now = MuteRecord(plan=plan, until=until, since=step.now, by=UserName(step.user), reason=reason)
    step.put_mute(plan, from_now)
    step.state.timers.set(("unmute", plan), until)
    step.note(
        "mute", context=plan, after="muted", detail=f"until {until.isoformat()}" + (f": {reason}" if reason else "")
    )


def unmute(step: Step, plan: PlanName) -> None:
    """Tell people again."""
    step.put_mute(plan, None)
    step.state.timers.set(("unmute", plan), None)
    step.note("mute", context=plan, before="muted")


def _note(step: Step, record: NotificationRecord, after: str, detail: str) -> None:
    told = record.notification
    context = told.context or told.plan
    step.note(
        "notification", instance=told.instance, context=context, job=told.job, run=told.run, after=after, detail=detail
    )
