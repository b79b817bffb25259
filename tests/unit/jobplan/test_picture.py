"""The newest snapshot of each topic."""

from __future__ import annotations

import pytest

from jobplan.client.picture import MOST_CLEARED, Change
from schemas.addresses import InstanceAt
from schemas.codec import SchemaError
from schemas.names import InstanceId
from schemas.status import JobStatus, NodeState
from tests.support.pictures import INSTANCE, a_job, a_picture, a_presence, an_instance, payload, where


def test_a_newer_snapshot_changes_the_picture() -> None:
    """It says what stood there before."""
    picture = a_picture(a_job())

    change = picture.take(where(a_job()), payload(a_job(status=JobStatus.RUNNING), revision=2))

    assert isinstance(change, Change)
    assert (change.before, change.after) == (a_job(), a_job(status=JobStatus.RUNNING))
    assert picture.jobs(INSTANCE) == (a_job(status=JobStatus.RUNNING),)


def test_an_older_snapshot_changes_nothing() -> None:
    """A reader never goes back in (epoch, revision)."""
    picture = a_picture()
    picture.take(where(a_job()), payload(a_job(status=JobStatus.RUNNING), epoch=2, revision=1))

    assert picture.take(where(a_job()), payload(a_job(), epoch=1, revision=99)) is None
    assert picture.jobs(INSTANCE)[0].status is JobStatus.RUNNING


def test_the_same_content_again_is_no_change() -> None:
    """A dashboard that shows everything again after a restart changes nothing for a reader."""
    picture = a_picture(a_job())

    assert picture.take(where(a_job()), payload(a_job(), epoch=2)) is None


def test_a_will_outranks_all_its_connection_said_but_not_the_next_one() -> None:
    """The will carries an early revision."""
    picture = a_picture()
    there = where(a_presence())
    picture.take(there, payload(a_presence(), revision=50))

    gone = picture.take(there, payload(a_presence(NodeState.GONE), revision=1))
    again = picture.take(there, payload(a_presence(connection=2), revision=51))
    late = picture.take(there, payload(a_presence(NodeState.GONE), revision=1))

    assert gone is not None
    assert again is not None
    assert late is None
    assert picture.dashboard is not None
    assert picture.dashboard.state is NodeState.ALIVE


def test_what_was_cleared_live_stays_gone_when_an_older_store_is_replayed() -> None:
    """Until its writer shows something newer there, or says it anew."""
    picture = a_picture()
    there = where(a_job())
    picture.take(there, payload(a_job(), revision=3))
    picture.take(where(an_instance()), payload(an_instance(), revision=7))
    assert picture.take(there, b"") is not None

    picture.begin_replay()
    for revision in (2, 3, 7):  # also what we had missed before it was cleared
        assert picture.take(there, payload(a_job(), revision=revision), retained=True) is None
    assert picture.take(there, payload(a_job(), revision=8), retained=True) is not None

    picture.take(there, b"")
    assert picture.take(there, payload(a_job(), revision=8)) is not None


def test_what_is_passed_on_again_after_it_was_cleared_stays_gone() -> None:
    """A server that died left it to another one to pass on what it had passed on."""
    picture = a_picture()
    there = where(a_job())
    picture.take(there, payload(a_job(), revision=2))
    picture.take(there, payload(a_job(), revision=3))
    picture.take(where(an_instance()), payload(an_instance(), revision=7))
    for _ in range(2):
        picture.take(there, b"")

    assert picture.take(there, payload(a_job(), revision=2)) is None
    assert picture.take(there, payload(a_job(), revision=4)) is not None  # which came late: another topic was quicker


def test_what_was_cleared_elsewhere_or_before_we_knew_anything_is_no_reason_to_doubt() -> None:
    """Each address by itself; and what a writer shows later counts."""
    picture = a_picture()
    picture.take(where(a_job()), b"")
    picture.take(where(a_presence()), payload(a_presence(), revision=50))
    picture.take(where(a_presence()), b"")

    assert picture.take(where(a_job()), payload(a_job(), revision=1), retained=True) is not None
    assert picture.take(where(a_presence()), payload(a_presence(), revision=1), retained=True) is not None


def test_addresses_that_were_cleared_are_remembered_up_to_a_number() -> None:
    """The newest: there is no end of instances."""
    picture = a_picture(an_instance())
    places = [InstanceAt(InstanceId(f"nightly-{number}")) for number in range(MOST_CLEARED + 1)]
    for place in places:
        picture.take(place, b"")

    oldest, newest = places[0], places[-1]
    assert picture.take(newest, payload(an_instance()), retained=True) is None
    assert picture.take(oldest, payload(an_instance()), retained=True) is not None


@pytest.mark.parametrize(("complete", "left"), [(True, 0), (False, 1)])
def test_absent_after_a_replay_means_gone_only_if_everything_is_shown(*, complete: bool, left: int) -> None:
    """A broker that lost its store does not make instances disappear before the dashboard has shown itself again."""
    picture = a_picture(a_job(), a_presence(complete=complete))
    picture.begin_replay()
    picture.take(where(a_presence()), payload(a_presence(complete=complete), epoch=2))

    picture.settle()

    assert len(picture.jobs(INSTANCE)) == left


def test_a_cleared_topic_is_gone() -> None:
    """An empty payload clears."""
    picture = a_picture(an_instance())

    change = picture.take(InstanceAt(INSTANCE), b"")

    assert change is not None
    assert change.after is None
    assert not picture.instances


def test_unreadable_is_told() -> None:
    """Somebody else's data is not ours to guess at."""
    with pytest.raises(SchemaError):
        a_picture().take(InstanceAt(INSTANCE), b'{"v":1,"epoch":1,"revision":1,"at":"2026-01-01T00:00:00Z"}')
