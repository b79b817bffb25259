"""A dashboard with one instance of a plan, written as the scenarios write them, and an agent that reports word by word."""

from __future__ import annotations

from typing import Any

from broker.runtime.core import Heard
from dashboard_node.core.records import CopyRecord, RunRecord
from schemas.addresses import RunReportAt
from schemas.documents import RunReport
from schemas.status import RunPhase
from tests.scenarios.house import mentioned
from tests.scenarios.notation import plan
from tests.support.office import Office, at


class Written(Office):
    """An office in which a plan ``P`` stands, opened at noon; the audit trail begins then."""

    def __init__(self, text: str, **more: Any) -> None:  # noqa: ANN401  # what `plan` takes
        super().__init__(at("04-02 12:00"))
        self.imports(mentioned(plan(text, **more)))
        assert self.start("P").ok
        self.audit.clear()

    def run_of(self, job: str) -> RunRecord:
        """The newest run of a job, also when it has ended."""
        return next(run for run in reversed(self.core.state.runs.values()) if f"north-{job}~" in run.id)

    def copy(self, job: str, which: int = 0) -> CopyRecord:
        """What is saved of a job, in the first context that has it unless said otherwise."""
        machine = self.core.state.machines[self.only.id]
        return machine.copies[[copy.index for copy in machine.graph.copies if copy.name == job][which]]

    def says(self, run: RunRecord, phase: RunPhase, **how: Any) -> None:  # noqa: ANN401  # fields of the report
        """The run's agent reports this and nothing more."""
        self.step(Heard(self.now, RunReportAt(run.agent, run.id), RunReport(run=run.id, phase=phase, **how)))

    def forgets(self, run: RunRecord) -> None:
        """The run's agent shows nothing of it any more."""
        self.step(Heard(self.now, RunReportAt(run.agent, run.id), None))

    def of_job(self, job: str) -> list[tuple[str, str, str]]:
        """Before, after and detail of every audit row of a job."""
        rows = [row for row in self.audit if row.kind == "job" and row.job.endswith(f"-{job}")]
        return [(row.before, row.after, row.detail) for row in rows]

    def of_runs(self) -> list[tuple[str, str, str]]:
        """Run, what became of it, and detail of every audit row of runs."""
        return [(row.run, row.after, row.detail) for row in self.audit if row.kind == "run"]
