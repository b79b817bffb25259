"""What the files of a bundle are called: names made safe, and kept apart. It knows nothing of what is in the files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

_UNSAFE = re.compile(r'[\\:/*?"<>|\x00-\x1f\x7f]|^\.(?=_)')
_ENVIRONMENT = "_[[env.name]]"
_LONGEST = 200
"""Bytes: room for a suffix and an extension below the 255 that file systems allow."""


def sanitised(name: str) -> str:
    r"""The name as part of a file name: Ikasan replaces ``\ : / * ? " < > |`` by ``_`` and leaves ``_[[env.name]]`` out.

    Control characters go the same way, and the dot of a leading ``._``, by which file managers know files of their own. A name
    too long for a file system is cut and told apart by a hash.
    """
    safe = _UNSAFE.sub("_", name.replace(_ENVIRONMENT, "")) or "_"
    if len(safe.encode(errors="replace")) <= _LONGEST:
        return safe
    mark = hashlib.sha256(safe.encode(errors="replace")).hexdigest()[:12]
    return f"{safe.encode(errors='replace')[: _LONGEST - 13].decode(errors='ignore')}-{mark}"


def kept_apart(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """File names (without extension) by key, for pairs of a key (unique) and a name.

    Ikasan overwrites the first of two jobs whose names become one; here the later ones, in order of their keys, get ``~2``,
    ``~3``. Upper and lower case count as one, as they do on some disks.
    """
    taken: set[str] = set()
    found: dict[str, str] = {}
    for key, name in sorted(names):
        base, number = sanitised(name), 1
        candidate = base
        while candidate.casefold() in taken:
            number += 1
            candidate = f"{base}~{number}"
        taken.add(candidate.casefold())
        found[key] = candidate
    return found
