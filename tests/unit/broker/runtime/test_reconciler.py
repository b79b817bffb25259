"""What the broker retains of a node, against what it ought to: the difference, in order, with stamps that rise."""

from __future__ import annotations

from collections.abc import Mapping

from broker.bus import Publication
from broker.runtime.reconciler import Mark, Reconciler
from schemas.addresses import Address, AgentPresenceAt, FireReportAt
from schemas.codec import decode_header, encode_body, stamp
from schemas.documents import FireReport, Presence
from schemas.status import NodeState
from tests.fakes.toy_core import JOB, ME
from tests.fakes.toy_node import START, TOPICS, an_instance

EPOCH = 7


def at(day: int) -> Address:
    """Where a report stands."""
    return FireReportAt(ME, an_instance(day), JOB)


def topic(day: int) -> str:
    """The same as a topic."""
    return TOPICS.topic_of(at(day))


def a_report(text: str = "") -> FireReport:
    """A report."""
    return FireReport(instance=an_instance(), job=JOB, problem=text)


def a_payload(text: str = "", *, epoch: int = EPOCH, revision: int = 1) -> bytes:
    """A report as it stands on the broker."""
    return stamp(encode_body(a_report(text)), epoch=epoch, revision=revision, at=START)


def a_reconciler(own: Mapping[str, bytes] | None = None, mark: Mark | None = None) -> Reconciler:
    """One whose first replay brought this."""
    reconciler = Reconciler(TOPICS.topic_of, EPOCH)
    reconciler.adopt(own or {}, mark)
    reconciler.replayed(own or {})
    return reconciler


def shape(publications: list[Publication]) -> list[tuple[str, tuple[int, int] | None]]:
    """Topic and stamp; None: cleared."""
    return [(each.topic, decode_header(each.payload).order if each.payload else None) for each in publications]


def whole(reconciler: Reconciler, wanted: Mapping[Address, FireReport]) -> list[Publication]:
    """What it takes to show these and nothing else, in two parts."""
    parts = (dict(list(wanted.items())[:1]), dict(list(wanted.items())[1:]))
    return [one for part in parts for one in reconciler.show(part, START)] + reconciler.clear_rest()


def test_show_publishes_what_changed() -> None:
    """New documents in the order given, each with the next revision."""
    publications = a_reconciler().show({at(2): a_report(), at(1): a_report()}, START)

    assert shape(publications) == [(topic(2), (EPOCH, 1)), (topic(1), (EPOCH, 2))]


def test_show_leaves_out_what_stands() -> None:
    """The same document again is not published."""
    reconciler = a_reconciler()
    reconciler.show({at(1): a_report()}, START)

    assert reconciler.show({at(1): a_report()}, START) == []
    assert len(reconciler.show({at(1): a_report("other")}, START)) == 1


def test_show_clears_what_stands() -> None:
    """A document that is no longer wanted is cleared, once."""
    reconciler = a_reconciler()
    reconciler.show({at(1): a_report()}, START)

    assert shape(reconciler.show({at(1): None}, START)) == [(topic(1), None)]
    assert reconciler.show({at(1): None}, START) == []


def test_show_says_nothing_while_unknown() -> None:
    """Without a replay nobody knows what to publish; afterwards everything is compared anew."""
    reconciler = a_reconciler()
    reconciler.show({at(1): a_report()}, START)
    reconciler.lost()

    assert not reconciler.known
    assert reconciler.show({at(1): a_report("other")}, START) == []
    assert whole(reconciler, {at(1): a_report("other")}) == []


def test_clear_rest_clears_what_was_not_shown() -> None:
    """Orphans, garbage and what nobody can read go, after the documents."""
    reconciler = a_reconciler({"test/agent/north/report/x": b"garbage", topic(2): a_payload()})
    publications = whole(reconciler, {at(1): a_report()})

    assert shape(publications) == [(topic(1), (EPOCH, 2)), ("test/agent/north/report/x", None), (topic(2), None)]


def test_reconnect_skips_what_was_published_last() -> None:
    """The very revision published last stands there, with the right body: nothing to do."""
    reconciler = a_reconciler()
    (publication,) = reconciler.show({at(1): a_report()}, START)
    reconciler.acknowledged([publication])
    reconciler.lost()
    reconciler.replayed({publication.topic: publication.payload})

    assert whole(reconciler, {at(1): a_report()}) == []


def test_reconnect_publishes_again_what_nobody_acknowledged() -> None:
    """It stands there, or is cleared, and its readers may not have heard so."""
    reconciler = a_reconciler()
    first = reconciler.show({at(1): a_report(), at(2): a_report()}, START)
    (kept,) = reconciler.show({at(1): a_report("other")}, START)
    (cleared,) = reconciler.show({at(2): None}, START)
    reconciler.acknowledged(first)  # late, and of none of what came after
    reconciler.lost()
    reconciler.replayed({kept.topic: kept.payload})

    again = reconciler.show({at(1): a_report("other")}, START)
    assert shape([*again, *reconciler.clear_rest()]) == [(topic(1), (EPOCH, 4)), (cleared.topic, None)]
    assert reconciler.count == 1


def test_what_a_replay_left_out_that_is_not_proved_stands_until_it_is_cleared() -> None:
    """What this life showed before counts, and is shown again or cleared; one that is proved has all there is."""
    reconciler = a_reconciler()
    reconciler.acknowledged(reconciler.show({at(1): a_report(), at(2): a_report()}, START))
    reconciler.lost()
    reconciler.replayed({}, proved=False)

    assert shape(whole(reconciler, {at(1): a_report()})) == [(topic(1), (EPOCH, 3)), (topic(2), None)]
    assert reconciler.count == 1


def test_what_is_not_wanted_any_more_is_cleared_unless_it_is_proved_that_nothing_stands() -> None:
    """An earlier life may have shown it, to a server whose list stood still; it counts as gone as little as it had counted."""
    reconciler = a_reconciler()
    reconciler.lost()
    reconciler.replayed({}, proved=False)
    moved = reconciler.moved

    assert shape(reconciler.show({at(1): None}, START)) == [(topic(1), None)]
    assert (reconciler.count, reconciler.moved) == (0, moved)

    reconciler.lost()
    reconciler.replayed({topic(2): a_payload()})
    reconciler.acknowledged(whole(reconciler, {}))

    assert reconciler.show({at(2): None}, START) == []


def test_shown_again_whatever_stands() -> None:
    """Somebody has not seen it; while it is unknown what stands there is nothing to do."""
    reconciler = a_reconciler()
    (first,) = reconciler.show({at(1): a_report()}, START)
    reconciler.show_again()
    (second,) = reconciler.show({at(1): a_report()}, START)
    reconciler.lost()
    reconciler.show_again()

    assert shape([first, second]) == [(topic(1), (EPOCH, 1)), (topic(1), (EPOCH, 2))]
    assert reconciler.show({at(1): a_report()}, START) == []


def test_reconnect_publishes_over_an_older_revision() -> None:
    """The right body with an older revision would be ignored by readers that saw a newer one."""
    reconciler = a_reconciler()
    (first,) = reconciler.show({at(1): a_report()}, START)
    reconciler.show({at(1): a_report("other")}, START)
    reconciler.lost()
    reconciler.replayed({first.topic: first.payload})

    assert shape(whole(reconciler, {at(1): a_report()})) == [(topic(1), (EPOCH, 3))]


def test_reconnect_publishes_over_what_somebody_else_wrote() -> None:
    """A payload that is not spelt as ours is not ours, and our next revision is above its."""
    reconciler = a_reconciler()
    reconciler.show({at(1): a_report()}, START)
    reconciler.lost()
    reconciler.replayed({topic(1): a_payload(revision=50)})

    assert shape(whole(reconciler, {at(1): a_report()})) == [(topic(1), (EPOCH, 51))]


def test_a_new_life_adopts_what_its_predecessor_left() -> None:
    """The highest revision ever published is there: the broker has forgotten nothing, so what is right may stand."""
    own = {topic(1): a_payload(epoch=3, revision=8), topic(2): a_payload("b", epoch=3, revision=9)}
    reconciler = a_reconciler(own, Mark(3, 9))

    assert shape(whole(reconciler, {at(1): a_report(), at(2): a_report("c")})) == [(topic(2), (EPOCH, 1))]


def test_a_new_life_adopts_nothing_where_the_newest_is_not_there() -> None:
    """It may have been cleared since, or the broker has gone back: what a presence said, and how much stands, cannot tell."""
    reconciler = Reconciler(TOPICS.topic_of, EPOCH)
    own = {topic(1): a_payload(epoch=3, revision=8)}
    reconciler.adopt(own, Mark(3, 9))
    reconciler.replayed(own)

    assert [one.topic for one in whole(reconciler, {at(1): a_report()})] == [topic(1)]


def test_a_new_life_publishes_again_what_may_have_been_heard_by_nobody() -> None:
    """All of it: the server that took the newest may have died with it, and who asked to be shown everything may wait."""
    own = {topic(number): a_payload(epoch=3, revision=10 - number) for number in (1, 2, 3)}
    for unheard, published in ((False, []), (True, [1, 2, 3])):
        reconciler = Reconciler(TOPICS.topic_of, EPOCH)
        reconciler.adopt(own, Mark(3, 9), unheard=unheard)
        reconciler.replayed(own)

        shown = whole(reconciler, {at(number): a_report() for number in (1, 2, 3)})
        assert [publication.topic for publication in shown] == [topic(number) for number in published]


def test_a_new_life_trusts_no_broker_that_forgot_something() -> None:
    """The highest revision is missing, or nothing is known of it: everything is published."""
    own = {topic(1): a_payload(epoch=3, revision=8)}
    for mark in (Mark(3, 9), None):
        assert len(whole(a_reconciler(own, mark), {at(1): a_report()})) == 1


def test_a_new_life_trusts_no_mark_of_a_copy() -> None:
    """What is newer than it was shown by a life that is not known: nobody knows what of it the broker forgot."""
    own = {topic(1): a_payload(epoch=3, revision=8), topic(2): a_payload(epoch=4, revision=1)}

    assert len(whole(a_reconciler(own, Mark(3, 8)), {at(1): a_report(), at(2): a_report()})) == 2


def test_a_new_life_trusts_no_predecessor_that_had_more_to_show_again() -> None:
    """One that found that the broker had forgotten something, and died before all of it was shown again."""
    own = {topic(1): a_payload(epoch=3, revision=8), topic(2): a_payload(epoch=3, revision=7)}
    dying = a_reconciler(own, Mark(3, 9))
    (shown,) = dying.show({at(1): a_report()}, START)
    assert dying.mark == Mark(EPOCH, 1, whole=False)
    own[shown.topic] = shown.payload

    assert len(whole(a_reconciler(own, dying.mark), {at(1): a_report(), at(2): a_report()})) == 2
    dying.show({at(2): a_report()}, START)
    dying.clear_rest()
    assert dying.mark == Mark(EPOCH, 2)


def test_what_a_broker_forgets_during_a_life_keeps_its_mark_from_being_whole() -> None:
    """Until all is shown: an older document there, or none, unless that was never acknowledged."""
    first, second = (at(1), at(2))
    for left, acknowledged, is_whole in (
        ({}, True, False),
        ({topic(1): a_payload(epoch=1)}, True, False),
        ({}, False, True),
    ):
        reconciler = a_reconciler()
        shown = reconciler.show({first: a_report()}, START)
        if acknowledged:
            reconciler.acknowledged(shown)
        reconciler.lost()
        reconciler.replayed(left)
        reconciler.show({second: a_report()}, START)

        assert reconciler.mark is not None
        assert reconciler.mark.whole is is_whole


def test_the_mark_is_the_newest_document() -> None:
    """It moves with what is published, and neither with clears nor with presences."""
    reconciler = a_reconciler()
    reconciler.show({at(1): a_report(), at(2): a_report()}, START)
    reconciler.show({at(1): None}, START)
    presence = Presence(node=ME, state=NodeState.ALIVE, connection=1, since=START)
    publication = reconciler.stamped(AgentPresenceAt(ME), presence, START)

    assert reconciler.mark == Mark(EPOCH, 2)
    assert decode_header(publication.payload).order == (EPOCH, 3)


def test_count_is_what_stands() -> None:
    """Published ones less cleared ones."""
    reconciler = a_reconciler()
    reconciler.show({at(1): a_report(), at(2): a_report()}, START)
    reconciler.show({at(1): None}, START)

    assert reconciler.count == 1
