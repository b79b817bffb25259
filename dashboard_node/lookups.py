"""What only the store can do: the audit trail, read page by page for a person, and its old rows removed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Raw

from broker.errors import BusError
from broker.runtime.core import Reply
from broker.runtime.store import Audited, AuditQuery, Store, StoreError
from dashboard_node.core.effects import ForgetAudit, LookUpAudit
from schemas.queries import AuditEntry, AuditPage, ReadAudit
from schemas.requests import Answer

_FORGOTTEN_AT_ONCE = 50_000
log = logging.getLogger(__name__)

Respond = Callable[[Reply], Awaitable[None]]


async def look_up_audit(effect: LookUpAudit, store: Store, respond: Respond) -> None:
    """Read a page and answer with it. A store that cannot be read, or a broker that is away, costs only this answer."""
    try:
        page = await _page(effect.query, store)
    except StoreError as error:
        answer = Answer(ok=False, reason=f"the audit trail cannot be read: {error}")
    else:
        answer = Answer(ok=True, data=Raw(msgspec.json.encode(page)))
    try:
        await respond(Reply(effect.user, effect.request, answer))
    except BusError as error:
        log.warning("answer lost request=%s reason=%r: who asked will ask again", effect.request, str(error))


async def forget_audit(effect: ForgetAudit, store: Store) -> None:
    """Remove old rows, some at a time. A store that cannot do it says so, and the next hour tries again."""
    try:
        removed = await store.forget_audit(
            effect.before, instances=effect.instances, kinds=effect.kinds, most=_FORGOTTEN_AT_ONCE
        )
    except StoreError as error:
        log.warning("old audit rows were not removed: %s", error)
    else:
        if removed:
            log.info("removed %d audit rows from before %s", removed, effect.before.isoformat())


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
        limit=query.limit + 1,
    )
    found = await store.audit(wanted)
    rows = tuple(_entry(one) for one in found[: query.limit])
    return AuditPage(rows=rows, more=len(found) > query.limit)


def _entry(audited: Audited) -> AuditEntry:
    return msgspec.convert(
        {"number": audited.number, **msgspec.structs.asdict(audited.row)}, AuditEntry, from_attributes=True
    )
