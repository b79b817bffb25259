"""How often a node looks for cycles of objects, as Python does by itself after every 700 objects made: seldom.

Records and documents are many and hold no cycles. Looking for them took half of what it takes a dashboard to come back to many
live jobs, and a twentieth of an agent's time.
"""

from __future__ import annotations

import gc
from typing import Final

_OBJECTS: Final = 50_000


def look_seldom() -> None:
    """From now on, in this process."""
    gc.set_threshold(_OBJECTS)
