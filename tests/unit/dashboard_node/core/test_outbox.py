"""Notifications on their way: saved before sent, tried until they arrive or are given up, muted for a while."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from dashboard_node.core import outbox
from dashboard_node.core.effects import Deliver, Delivered
from schemas.names import PlanName
from schemas.notifications import (
    DeliveryState,
    Monitor,
    NotificationDetails,
)
from schemas.requests import Action, EndInstance, MuteNotifications, TestNotification, UnmuteNotifications
from tests.support.notified import EVERYTHING, Desk, a_desk


def test_muted_while_somebody_works_on_it() -> None:
    """Nothing is sent, and what would have been is on record; when its time is over people are told again."""
    desk = a_desk("P[a]", EVERYTHING)
    until = desk.now + timedelta(hours=1)
    assert desk.ask(MuteNotifications(plan=PlanName("P"), until=until, reason="new disks")).ok
    desk.down_until(desk.now + timedelta(minutes=1))
    desk.act(Action.SUBMIT, "a")
    desk.starts("a")

    assert desk.told() == []
    listed = desk.listed()
    assert {delivery.state for one in listed.notifications for delivery in one.deliveries.values()} == {
        DeliveryState.MUTED
    }
    assert [(mute.plan, mute.reason, mute.until) for mute in listed.mutes] == [("P", "new disks", until)]
    desk.until(until)
    assert desk.listed().mutes == ()
    desk.ends("a", code=1)
    assert desk.mails() == [("ERROR", "a")]


def test_mutes_that_cannot_be() -> None:
    """Of a plan that is not there, until a time that has passed, or taken back twice."""
    desk = a_desk("P[a]", EVERYTHING)
    later = desk.now + timedelta(hours=1)

    assert not desk.ask(MuteNotifications(plan=PlanName("Q"), until=later)).ok
    assert not desk.ask(MuteNotifications(until=desk.now)).ok
    assert desk.ask(MuteNotifications(until=later)).ok
    assert desk.ask(UnmuteNotifications()).ok
    assert not desk.ask(UnmuteNotifications()).ok
    kinds = [(row.kind, row.user, row.after) for row in desk.audit if row.kind == "mute"]
    assert kinds == [("mute", "ann", "muted"), ("mute", "ann", "")]


def test_a_test_reaches_everybody_muted_or_not() -> None:
    """All addresses that a plan names anywhere."""
    details = NotificationDetails(job_name="a", monitor_type=Monitor.ERROR, email_send_to=("desk@example.com",))
    by_type = {"ERROR": ("boss@example.com",)}
    context = replace(EVERYTHING, email_send_cc_by_monitor_type=by_type)
    desk = a_desk("P[a]", context, details=(details,))
    desk.ask(MuteNotifications(until=desk.now + timedelta(hours=1)))
    desk.ask(TestNotification(plan=PlanName("P")))

    (mail,) = [one.mail for one in desk.effects if isinstance(one, Deliver) and one.channel == "mail"]
    assert set(mail.to) == {"ops@example.com", "desk@example.com", "boss@example.com"}


# Until it arrives


def _failing(desk: Desk, error: str = "the server is away", *, hopeless: bool = False) -> Desk:
    """Every delivery that is asked for fails."""
    seen = 0
    while seen < len(desk.effects):
        effect = desk.effects[seen]
        seen += 1
        if isinstance(effect, Deliver):
            desk.step(Delivered(desk.now, effect.notification.id, effect.channel, error, hopeless=hopeless))
    return desk


def _with_an_error() -> Desk:
    desk = a_desk("P[a]", replace(EVERYTHING, monitor_types=(Monitor.ERROR,)))
    desk.act(Action.SUBMIT, "a")
    desk.starts("a")
    desk.ends("a", code=1)
    return desk


def test_it_is_saved_before_it_is_sent() -> None:
    """In the step that asks for the delivery, with what caused it."""
    desk = _with_an_error()
    assert any(key.table == "notification" for key in desk.rows)
    (told,) = desk.listed().notifications
    assert told.deliveries["mail"].attempts == 1


def test_a_dashboard_that_dies_sends_it_again_with_the_same_id() -> None:
    """It had not heard how the first attempt went; as soon as it is back, and once."""
    desk = _with_an_error()
    desk.begin()
    assert [len({told.id for told in desk.told()}), len(desk.mails())] == [1, 2]

    desk.until(desk.now + timedelta(seconds=59))
    assert len(desk.mails()) == 2


def test_what_failed_before_a_restart_waits_on() -> None:
    """Its turn comes when it would have come: to start again and again does not use up the attempts."""
    desk = _failing(_with_an_error())
    for _ in range(3):
        desk.begin()
    assert len(desk.mails()) == 1

    desk.until(desk.now + timedelta(seconds=61))
    assert len(desk.mails()) == 2


def test_it_is_tried_again_and_given_up_visibly() -> None:
    """With longer and longer waits; the audit says so."""
    desk = _with_an_error()
    while desk.listed().waiting:
        _failing(desk)
        due = desk.core.state.timers.next()
        assert due is not None
        desk.until(due)
    (told,) = desk.listed(state=DeliveryState.FAILED).notifications

    assert told.deliveries["mail"].attempts == len(desk.mails()) == 10
    assert told.deliveries["mail"].error == "the server is away"
    assert [row.detail for row in desk.audit if row.kind == "notification" and "given up" in row.detail]


def test_what_cannot_be_delivered_is_given_up_at_once() -> None:
    """Such as an address that the server refuses for good."""
    desk = _failing(_with_an_error(), "550 no such user", hopeless=True)
    desk.until(desk.now + timedelta(minutes=10))

    assert len(desk.mails()) == 1
    assert desk.listed().waiting == 0


def test_what_has_arrived_is_sent_no_more_and_forgotten_with_its_instance() -> None:
    """A late word of an earlier attempt changes nothing."""
    desk = _with_an_error()
    for effect in [one for one in desk.effects if isinstance(one, Deliver)]:
        desk.step(Delivered(desk.now, effect.notification.id, effect.channel))
        desk.step(Delivered(desk.now, effect.notification.id, effect.channel, "a late word"))
    desk.until(desk.now + timedelta(hours=3))
    assert len(desk.mails()) == 1
    assert len(desk.listed().notifications) == 1
    desk.act(Action.ACKNOWLEDGE, "a")
    desk.ask(EndInstance(instance=desk.only.id))
    desk.until(desk.now + timedelta(hours=3))
    assert desk.listed().notifications == ()


def test_a_storm_is_bounded_and_seen() -> None:
    """So many may wait; what comes on top fails at once."""
    desk = a_desk("P[a]", EVERYTHING)
    desk.core.state.undelivered = dict.fromkeys(map(str, range(outbox.MOST_WAITING)))
    desk.act(Action.SUBMIT, "a")
    desk.starts("a")
    (told,) = desk.listed().notifications

    assert {one.state for one in told.deliveries.values()} == {DeliveryState.FAILED}
