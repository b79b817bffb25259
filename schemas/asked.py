"""The common shape of what is asked of a node."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

Instant = Annotated[datetime, Meta(tz=True)]
"""An aware point in time."""


class Asked(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", tag_field="ask"):
    """Common shape of requests; ``ask`` names which one it is."""


class Told(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Common shape of the data in answers."""
