"""Looking into the audit trail for a person."""

from __future__ import annotations

from datetime import UTC, datetime

from broker.errors import BusError
from broker.runtime.core import AuditRow, Reply
from broker.runtime.store import StoreError
from dashboard_node.core.effects import LookUpAudit
from dashboard_node.lookups import look_up_audit
from schemas.codec import decode
from schemas.names import RequestId, UserName
from schemas.queries import AuditPage, ReadAudit
from tests.fakes.memory_store import MemoryStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def looked_up(store: MemoryStore, query: ReadAudit) -> Reply:
    """The answer to a question."""
    said: list[Reply] = []

    async def respond(reply: Reply) -> None:
        said.append(reply)

    await look_up_audit(LookUpAudit(UserName("ann"), RequestId("r1"), query), store, respond)
    [reply] = said
    return reply


async def a_store(rows: int) -> MemoryStore:
    """So many ticks of plan P, and a row of something else."""
    store = MemoryStore()
    ticks = [AuditRow(at=NOON, kind="tick", context="P", after="ran", detail=str(n)) for n in range(rows)]
    await store.save({}, [*ticks, AuditRow(at=NOON, kind="job")])
    return store


async def test_a_page_holds_what_matches_the_newest_first() -> None:
    """And says whether there is more; the next page goes on below the last number."""
    store = await a_store(5)

    first = decode(bytes((await looked_up(store, ReadAudit(kind="tick", limit=3))).answer.data), AuditPage)
    rest = ReadAudit(kind="tick", limit=3, before=first.rows[-1].number)
    second = decode(bytes((await looked_up(store, rest)).answer.data), AuditPage)

    assert [row.detail for row in first.rows + second.rows] == ["4", "3", "2", "1", "0"]
    assert (first.more, second.more) == (True, False)
    assert first.rows[0].at == NOON


async def test_a_trail_that_cannot_be_read_is_a_refusal() -> None:
    """The node goes on: nothing it decides depends on it."""
    store = await a_store(1)

    async def fail(_query: object) -> list[object]:
        raise StoreError("disk I/O error")

    store.audit = fail  # type: ignore[method-assign, assignment]  # a disk that fails at reading alone
    reply = await looked_up(store, ReadAudit())

    assert not reply.answer.ok
    assert "disk I/O error" in reply.answer.reason


async def test_an_answer_that_cannot_be_given_is_left() -> None:
    """Who asked will ask again."""

    async def away(_reply: Reply) -> None:
        raise BusError("no broker")

    effect = LookUpAudit(UserName("ann"), RequestId("r1"), ReadAudit())
    await look_up_audit(effect, await a_store(1), away)
