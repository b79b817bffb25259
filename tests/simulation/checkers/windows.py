"""S3: each due window start makes exactly one instance, or one recorded reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from broker.runtime.core import AuditRow
from schemas.addresses import PlanVersionAt
from schemas.documents import PlanStatus
from tests.simulation.checkers.reading import Ledger
from tests.simulation.plans import LAST_WINDOW, WINDOWS
from tests.simulation.trace import Found, Listener, PromiseBrokenError, Record, Saved, Standing
from tests.simulation.world import BEGINNING

DASHBOARD = "dashboard"


class EachStartOnce:
    """S3. Which starts are due is worked out plainly: every so many minutes."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        ledger.before_row.append(self._judge)
        ledger.after_rows.append(self._opened)
        self._since: dict[str, datetime] = {}
        """From when on a plan's starts are due."""
        self._decided: dict[str, dict[datetime, str]] = {}
        self._ran: set[str] = set()
        self.hears: Mapping[type[Record], Listener] = {Standing: self._stand, Found: self._found}

    def _found(self, record: Found) -> None:
        """The dashboard's disk was lost: decided is what its plans show as decided; a plan that is not shown is gone."""
        if record.node != DASHBOARD:
            return
        shown = dict(record.documents)
        plans = {one.plan: one for one in shown.values() if isinstance(one, PlanStatus)}
        kept = {name: one for name, one in plans.items() if PlanVersionAt(one.plan, one.version) in shown}
        self._since = {name: since for name, since in self._since.items() if name in kept}
        self._decided = {
            name: {
                start: "shown as decided" for start in _starts(name) if one.decided is not None and start <= one.decided
            }
            for name, one in kept.items()
        }

    def _judge(self, row: AuditRow) -> None:
        if row.kind == "plan" and row.after == "deleted":
            self._since.pop(row.detail, None)
            self._decided.pop(row.detail, None)
        if row.kind != "tick" or row.job:
            return
        plan, start = row.context, datetime.fromisoformat(row.before)
        decided = self._decided.setdefault(plan, {})
        if start in decided:
            raise PromiseBrokenError(
                "S3", f"start {start} of {plan} is decided twice: {decided[start]}, then {row.after}"
            )
        if start not in _starts(plan):
            raise PromiseBrokenError("S3", f"start {start} of {plan} was never due")
        decided[start] = row.after
        if row.after == "ran":
            self._ran.add(row.instance)

    def _opened(self, saved: Saved) -> None:
        for entry in saved.audit:
            ran = entry.kind == "tick" and not entry.job and entry.after == "ran"
            if ran and entry.instance not in self._ledger.instances:
                raise PromiseBrokenError("S3", f"a start says that {entry.instance} ran, and there is no such instance")
        for row in saved.rows:
            if row.table == "plan" and row.key in self._ledger.plans:
                self._since.setdefault(row.key, self._first_due(row.key, saved))
        for entry in saved.audit:
            by_itself = entry.kind == "instance" and entry.detail.endswith((", cron", ", catch-up"))
            if by_itself and entry.after == "WAITING" and entry.instance not in self._ran:
                raise PromiseBrokenError("S3", f"{entry.instance} opened by its cron, and no start says so")

    def _first_due(self, plan: str, saved: Saved) -> datetime:
        """A plan's first start is the one it decided first, or the next one."""
        first = [
            datetime.fromisoformat(row.before) for row in saved.audit if row.kind == "tick" and row.context == plan
        ]
        return min(first, default=self._ledger.plans[plan].decided + timedelta(seconds=1))

    def _stand(self, record: Standing) -> None:
        if not record.last:
            return
        now = record.clocks[DASHBOARD]
        for plan, since in self._since.items():
            missing = [s for s in _starts(plan) if since <= s <= now and s not in self._decided.get(plan, {})]
            if missing:
                raise PromiseBrokenError("S3", f"starts of {plan} that nobody decided: {missing}")


def _starts(plan: str) -> list[datetime]:
    every = WINDOWS.get(plan)
    return [] if every is None else [BEGINNING + timedelta(minutes=m) for m in range(0, LAST_WINDOW + 1, every)]
