"""What a node writes to its log of what it has decided: a line an audit row; ids are fields, for who reads the log as JSON."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from broker.runtime.core import AuditRow

log = logging.getLogger(__name__)

_OFTEN: Final = frozenset({"job", "context", "lock", "tick"})
"""What there are many of, and what follows from the rest: told at level debug."""
_ON_THE_WAY: Final = frozenset({"assigned", "waiting", "starting"})
"""What a run passes through before it begins: told at the same level, for its beginning and its end say that it did."""
_FIELDS: Final = ("instance", "context", "job", "run", "before", "after", "cause", "user", "detail")


def tell(rows: Iterable[AuditRow]) -> None:
    """One line each, once they are saved."""
    for row in rows:
        passing = row.kind == "run" and row.after in _ON_THE_WAY
        level = logging.DEBUG if passing or row.kind in _OFTEN else logging.INFO
        if log.isEnabledFor(level):
            fields = {name: value for name in _FIELDS if (value := getattr(row, name))}
            log.log(level, "%s", _line(row), extra={"fields": {"kind": row.kind, **fields}})


def _line(row: AuditRow) -> str:
    """For people: what, from what to what, why."""
    whom = row.run or "/".join(filter(None, (row.instance, row.context, row.job)))
    moved = f"{row.before} -> {row.after}" if row.before and row.after else row.after or row.before
    why = ", ".join(filter(None, (row.cause, f"by {row.user}" if row.user else "", row.detail)))
    return " ".join(filter(None, (row.kind, whom, moved, f"({why})" if why else "")))
