"""A name that nothing has: what is said of it, and which one was perhaps meant. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final

SHOWN: Final = 5
"""How many names a line lists."""
_LIKE: Final = 0.5
"""How alike two names are when one may be a typing error of the other."""
_MOST: Final = 1000
"""Among more names none is looked for: that would hold up a node."""


def nearest(name: str, names: Iterable[str], *, like: float = _LIKE) -> str:
    """The name most like the one given, in whatever case, and at least so much; empty: none is."""
    by_lower = {one.lower(): one for one in reversed(list(names))}
    if len(by_lower) > _MOST:
        return ""
    found = get_close_matches(name.lower(), sorted(by_lower), n=1, cutoff=like)
    return by_lower[found[0]] if found else ""


def unknown(what: str, name: str, known: Iterable[str], *, of: str = "", see: str = "") -> str:
    """One line, such as ``plan 'Dialy' is unknown; did you mean 'Daily'?``.

    ``of``: where it was looked for, such as " of plan 'Daily'"; ``see``: where somebody finds out which there are; without it the
    line lists them.
    """
    names = list(known)
    near = nearest(name, names)
    hint = f"did you mean '{near}'?" if near else f"see '{see}'" if see and names else there(sorted(names))
    return f"{what} '{name}'{of} is unknown; {hint}"


def listed(names: Iterable[str]) -> str:
    """The first few names, and how many there are besides."""
    found = list(names)
    more = len(found) - SHOWN
    return ", ".join(found[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def there(names: Sequence[str]) -> str:
    """Which there are, in words."""
    return f"there {'is' if len(names) == 1 else 'are'} {listed(names) or 'none'}"
