"""Changes on their way to a reader."""

from __future__ import annotations

from jobplan.client.feed import Feed, Link
from jobplan.client.picture import Change
from tests.support.pictures import a_job, where


def a_change(number: int, *, job: str = "Extract") -> Change:
    """A change of a job, its number in its place."""
    return Change(address=where(a_job(job)), before=a_job(job, order=number - 1), after=a_job(job, order=number))


async def test_news_come_in_order() -> None:
    """Each once."""
    feed = Feed()
    for number in (1, 2, 3):
        feed.put(a_change(number))

    assert await feed.wait() == [a_change(1), a_change(2), a_change(3)]
    assert await feed.wait(0.0) == []


async def test_a_reader_far_behind_gets_the_newest_of_each_address() -> None:
    """From what it saw last to what is now; a lost connection is not forgotten."""
    feed = Feed(limit=3)
    feed.put(Link(reason="gone"))
    for number in (1, 2, 3):
        feed.put(a_change(number))

    news = feed.take()

    assert [item for item in news if isinstance(item, Link)] == [Link(reason="gone")]
    assert news[0] == Change(address=where(a_job()), before=a_job(order=0), after=a_job(order=2))
    assert news[-1] == a_change(3)


async def test_a_closed_feed_ends_its_iteration() -> None:
    """And takes nothing more."""
    feed = Feed()
    feed.put(a_change(1))
    feed.close()
    feed.put(a_change(2))

    assert [item async for item in feed] == [a_change(1)]
