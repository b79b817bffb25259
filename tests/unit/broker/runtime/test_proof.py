"""What is gone, by a writer's word: it counts what stood when it was said, and as much has to be here."""

from __future__ import annotations

import pytest

from broker.runtime.view import News, Reading, View
from schemas.addresses import Address, AgentInstanceAt, AgentPresenceAt, DashboardPresenceAt, FireReportAt, ShareAt
from schemas.codec import Header
from schemas.documents import Document, FireReport, Presence, Share
from schemas.names import NodeName
from schemas.status import NodeState
from tests.fakes.toy_core import JOB, ME
from tests.fakes.toy_node import FIRST, SECOND, START, TOPICS, a_publication

ELSEWHERE = NodeName("elsewhere")
AT_FIRST, AT_SECOND = AgentInstanceAt(ME, FIRST), AgentInstanceAt(ME, SECOND)


def a_reading(address: Address, document: Document, revision: int, *, live: bool = False, epoch: int = 1) -> Reading:
    """Something arrives, by replay unless said otherwise."""
    header = Header(v=1, epoch=epoch, revision=revision, at=START)
    return Reading(TOPICS.topic_of(address), address, header, document, not live)


def a_publication_at(address: AgentInstanceAt, revision: int, *, live: bool = False) -> Reading:
    """An instance is published to us."""
    return a_reading(address, a_publication(address.instance), revision, live=live)


def a_presence(revision: int, *, live: bool = False, state: NodeState = NodeState.ALIVE, epoch: int = 1) -> Reading:
    """The dashboard's."""
    word = Presence(node=NodeName("dashboard"), state=state, connection=2, since=START, complete=True)
    return a_reading(DashboardPresenceAt(), word, revision, live=live, epoch=epoch)


def a_share(documents: int, revision: int, *, live: bool = False, connection: int = 2, epoch: int = 1) -> Reading:
    """Ours."""
    return a_reading(ShareAt(ME), Share(connection=connection, documents=documents), revision, live=live, epoch=epoch)


def replay(view: View, *readings: Reading) -> list[News]:
    """What a connection's replay proves."""
    view.begin()
    for reading in readings:
        view.take(reading)
    return view.end()


@pytest.fixture
def view() -> View:
    """An agent's, that knows two instances."""
    view = View(shared=True)
    replay(view, a_publication_at(AT_FIRST, 1), a_publication_at(AT_SECOND, 2), a_presence(9))
    return view


@pytest.mark.parametrize("late", [True, False])
def test_absence_is_removal_by_presence_and_share(view: View, *, late: bool) -> None:
    """In either order; and a share says it of an agent that has nothing at all any more."""
    words = (a_share(0, 10), a_presence(11))
    view.begin()
    if late:
        assert view.end() == []
        news = [news for word in words for news in view.take(word)]
    else:
        news = replay(view, *reversed(words))

    assert [one.address for one in news if one.document is None] == [AT_FIRST, AT_SECOND]


@pytest.mark.parametrize(
    "words",
    [
        (a_presence(11),),
        (a_share(0, 10),),
        (a_presence(11), a_share(0, 10, connection=1)),
        (a_presence(1, epoch=2), a_share(0, 10)),
        (a_presence(11, state=NodeState.GONE), a_share(0, 10)),
    ],
    ids=["no share", "no presence", "share of an earlier connection", "share of an earlier life", "dashboard is gone"],
)
def test_absence_without_proof(view: View, words: tuple[Reading, ...]) -> None:
    """Nobody is removed who knows of no share, or of one that was not said on the connection that is alive."""
    assert replay(view, *words) == []


def test_share_before_what_is_missing(view: View) -> None:
    """It was shown after the share: that proves nothing of it, until the next one."""
    view.take(a_publication_at(AT_SECOND, 12, live=True))

    assert replay(view, a_presence(11), a_share(0, 10)) == [News(AT_FIRST, None)]
    assert view.take(a_share(0, 13, live=True)) == [News(AT_SECOND, None)]


def test_a_nonce_that_overtakes_its_replay_removes_nothing(view: View) -> None:
    """What comes late is there, and only then the rest is gone."""
    assert replay(view, a_presence(11), a_share(1, 10)) == []
    assert view.take(a_publication_at(AT_SECOND, 2)) == [News(AT_FIRST, None)]


def test_what_is_newer_than_the_share_does_not_stand_for_what_it_counts(view: View) -> None:
    """One that came since is not the one that is still on its way."""
    third = AgentInstanceAt(ME, FIRST.__class__(FIRST.replace("nightly", "other")))

    assert replay(view, a_presence(11), a_share(1, 10), a_publication_at(third, 12)) == []
    assert view.take(a_publication_at(AT_SECOND, 2)) == [News(AT_FIRST, None)]


def test_what_comes_after_the_nonce_is_believed() -> None:
    """By a newcomer, too: a document older than the writer's word is no ghost while not all has come."""
    view = View(shared=True)
    replay(view, a_presence(11), a_share(2, 10))

    assert [len(view.take(a_publication_at(address, 1))) for address in (AT_FIRST, AT_SECOND)] == [1, 1]


def test_what_was_gone_by_a_share_stays_gone(view: View) -> None:
    """An old store that comes back is not believed, however few of its documents were ever known."""
    replay(view, a_presence(11), a_share(0, 10))

    assert view.take(a_publication_at(AgentInstanceAt(ME, FIRST), 1)) == []
    newcomer = View(shared=True)
    replay(newcomer, a_presence(11), a_share(0, 10))
    newcomer.begin()
    assert newcomer.take(a_publication_at(AT_FIRST, 9)) == []


def test_an_older_share_takes_nothing_back(view: View) -> None:
    """A broker may deliver what it delivered before."""
    assert replay(view, a_presence(11), a_share(2, 12), a_share(0, 10)) == []


def test_who_sees_everything_counts_everything() -> None:
    """A reader of all that an agent shows goes by that agent's presence."""
    report, view = FireReportAt(ELSEWHERE, FIRST, JOB), View()
    replay(view, a_reading(report, FireReport(instance=FIRST, job=JOB), 1))
    gone = []
    for documents in (1, 0):
        word = Presence(
            node=ELSEWHERE, state=NodeState.ALIVE, connection=1, since=START, complete=True, documents=documents
        )
        gone.append(replay(view, a_reading(AgentPresenceAt(ELSEWHERE), word, 9 - documents)))

    assert gone == [[], [News(report, None)]]
