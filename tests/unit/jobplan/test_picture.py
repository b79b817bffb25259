"""The newest snapshot of each topic."""

from __future__ import annotations

import pytest

from jobplan.client.picture import Change
from schemas.addresses import InstanceAt
from schemas.codec import SchemaError
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
