"""What only the store can do: the audit trail, read page by page for a person, and its old rows removed."""

from __future__ import annotations

import logging

from broker.runtime.store import Store, StoreError
from broker.runtime.trail import Respond, answer_from_trail
from dashboard_node.core.effects import ForgetAudit, LookUpAudit

_FORGOTTEN_AT_ONCE = 50_000
log = logging.getLogger(__name__)


async def look_up_audit(effect: LookUpAudit, store: Store, respond: Respond) -> None:
    """Answer a person's question with a page of the trail."""
    await answer_from_trail(effect.user, effect.request, effect.query, store, respond)


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
