"""What the dashboard's core may ask of the world, besides saving and showing."""

from __future__ import annotations

from msgspec import Struct

from broker.runtime.core import Reply
from schemas.names import RequestId, UserName
from schemas.queries import ReadAudit


class LookUpAudit(Struct, frozen=True):
    """Answer a request with rows of the audit trail, which the store has and the core has not."""

    user: UserName
    request: RequestId
    query: ReadAudit


Effect = Reply | LookUpAudit
