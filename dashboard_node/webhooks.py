"""Posts notifications to webhooks, signed. It knows no retries: one post, taken or not."""

from __future__ import annotations

import hashlib
import hmac

import aiohttp
import msgspec

from dashboard_node.channels import Webhook, secret
from dashboard_node.undelivered import UndeliveredError
from schemas.notifications import Notification

_SECONDS = 20.0
_HOPELESS = frozenset({400, 410, 413, 422})
"""Answers that the same post would get again; any other may be put right."""


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """``sha256=`` and the HMAC-SHA256, in hexadecimal, of timestamp, a dot, and the body: as a receiver has to work it out."""
    return "sha256=" + hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


async def post(told: Notification, hook: Webhook, now: float) -> None:
    """Post it as JSON; ``now`` is in seconds since 1970. Raises UndeliveredError."""
    body = msgspec.json.encode(told)
    stamp = f"{now:.0f}"
    headers = {"Content-Type": "application/json", "X-Jobplan-Id": told.id, "X-Jobplan-Timestamp": stamp}
    try:
        if key := secret(hook):
            headers["X-Jobplan-Signature"] = signature(key, stamp, body)
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as session,
            session.post(hook.url, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            status = answer.status
    except TimeoutError as error:
        raise UndeliveredError(f"no answer within {_SECONDS:g} s") from error
    except (aiohttp.ClientError, OSError) as error:
        raise UndeliveredError(f"{type(error).__name__}: {error}") from error
    if not 200 <= status < 300:  # noqa: PLR2004  # HTTP: taken
        raise UndeliveredError(f"answered {status}", hopeless=status in _HOPELESS)
