"""What all that is shown on the bus has in common: its shape, and points in time."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

Instant = Annotated[datetime, Meta(tz=True)]
"""An aware point in time."""


class Shown(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Common shape of documents and their parts: camelCase on the wire, defaults left out."""
