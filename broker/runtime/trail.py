"""A node's audit trail for people: a page of it, read from the store, as the answer to a request."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Raw

from broker.errors import BusError
from broker.runtime.core import Reply
from broker.runtime.store import Audited, AuditQuery, Store, StoreError
from schemas.names import RequestId, UserName
from schemas.queries import AuditEntry, AuditPage, ReadAudit
from schemas.requests import Answer

log = logging.getLogger(__name__)

Respond = Callable[[Reply], Awaitable[None]]


async def answer_from_trail(
    user: UserName, request: RequestId, query: ReadAudit, store: Store, respond: Respond
) -> None:
    """Read a page and answer with it. A store that cannot be read, or a broker that is away, costs only this answer."""
    try:
        page = await _page(query, store)
    except StoreError as error:
        answer = Answer(ok=False, reason=f"the audit trail cannot be read: {error}")
    else:
        answer = Answer(ok=True, data=Raw(msgspec.json.encode(page)))
    try:
        await respond(Reply(user, request, answer))
    except BusError as error:
        log.warning("answer lost request=%s reason=%r: who asked will ask again", request, str(error))


async def _page(query: ReadAudit, store: Store) -> AuditPage:
    """One row more than wanted is read, to know whether there are more."""
    wanted = AuditQuery(
        kind=query.kind,
        instance=query.instance,
        context=query.context,
        job=query.job,
        run=query.run,
        user=query.user,
        since=query.since,
        until=query.until,
        before=query.before,
        oldest_first=query.oldest_first,
        after=query.after,
        limit=query.limit + 1,
    )
    found = await store.audit(wanted)
    rows = tuple(_entry(one) for one in found[: query.limit])
    return AuditPage(rows=rows, more=len(found) > query.limit)


def _entry(audited: Audited) -> AuditEntry:
    return msgspec.convert(
        {"number": audited.number, **msgspec.structs.asdict(audited.row)}, AuditEntry, from_attributes=True
    )
