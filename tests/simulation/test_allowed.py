"""The checker of S2 lets what a person continued after, or what was fed before a disk was lost, start later; nothing else."""

from __future__ import annotations

from broker.runtime.core import AuditRow
from schemas.names import InstanceId
from schemas.requests import Act, Action
from tests.simulation.checkers.copies import GoesBack
from tests.simulation.checkers.reading import DASHBOARD, InstanceRow, Ledger
from tests.simulation.checkers.starts import Allowed
from tests.simulation.plans import pool
from tests.simulation.trace import Copied, Found, PersonAsked, PromiseBrokenError, PutBack, Record, Saved
from tests.simulation.world import BEGINNING

POOL = InstanceId("pool-20260101T000000Z")
JOIN, *FANS = (f"any:pool-{name}" for name in ("join", "fan0", "fan1"))
COPIED = Copied(at=0.0, node=DASHBOARD)
SET_BACK = PutBack(at=1.0, node=DASHBOARD)
DISK_LOST = Found(at=1.0, node=DASHBOARD, documents=())


class Judge:
    """The checker and its ledger, told of an instance in which a job waits for two others."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.checker = Allowed(self.ledger)
        self.back = GoesBack(self.checker, "_fed", "_holders")
        self.ledger.sources["pool", 1] = pool(1)
        self.knows()

    def knows(self) -> None:
        """The dashboard has the instance, and it is active."""
        self.ledger.instances[POOL] = InstanceRow(id=POOL, plan="pool", version=1, status="RUNNING", opens=BEGINNING)
        self.ledger.status[POOL, "pool", ""] = "RUNNING"

    def hear(self, record: Record) -> None:
        """Tell of something that happened."""
        for hears in (self.back.hears, self.checker.hears):
            if type(record) in hears:
                hears[type(record)](record)

    def becomes(self, job: str, after: str, cause: str = "time", *, context: str = "pool") -> None:
        """A job's status in the audit trail."""
        self.row(kind="job", context=context, job=job, after=after, cause=cause)

    def lets_it_start(self) -> bool:
        """The job that waits for both is handed over."""
        try:
            self.row(kind="run", context="pool", job=JOIN, run=f"{POOL}~pool~any%3Apool-join~1", after="assigned")
        except PromiseBrokenError as error:
            return error.promise != "S2"
        return True

    def row(self, **fields: str) -> None:
        """A row of the audit trail."""
        row = AuditRow(at=BEGINNING, instance=POOL, **({"cause": "time"} | fields))
        self.ledger.hear(Saved(at=1.0, node=DASHBOARD, rows=(), audit=(row,)))

    def continues(self, job: str, *, context: str = "pool") -> None:
        """A person continues after a failed job, in this context."""
        self.hear(
            PersonAsked(at=1.0, user="anna", request="1", asked=Act(action=Action.CONTINUE, instance=POOL, job=job))
        )
        self.becomes(job, "", "request 1", context=context)


def test_what_a_person_continued_after_may_start_later() -> None:
    """The failed job counts as done for what comes after it, though it stays as it is."""
    judge = Judge()
    judge.becomes(FANS[0], "COMPLETE")
    judge.becomes(FANS[1], "ERROR")
    judge.continues(FANS[1])

    assert judge.lets_it_start()


def test_what_waits_for_another_job_as_well_is_not_continued() -> None:
    """Nor what comes after the job in another context."""
    unmet, elsewhere = Judge(), Judge()
    unmet.becomes(FANS[1], "ERROR")
    unmet.continues(FANS[1])
    elsewhere.becomes(FANS[0], "COMPLETE")
    elsewhere.becomes(FANS[1], "ERROR")
    elsewhere.continues(FANS[1], context="another")

    assert not unmet.lets_it_start()
    assert not elsewhere.lets_it_start()


def has_queued_since_a_copy() -> Judge:
    """The job was fed after the copy and waits for its lock; one that it depends on runs again."""
    judge = Judge()
    judge.hear(COPIED)
    for job in FANS:
        judge.becomes(job, "COMPLETE")
    judge.becomes(JOIN, "LOCK_QUEUED")
    judge.becomes(FANS[1], "RUNNING")
    judge.hear(SET_BACK)
    return judge


def test_a_dashboard_from_a_copy_has_not_seen_what_fed_a_job_since() -> None:
    """It has to see it happen once more."""
    assert not has_queued_since_a_copy().lets_it_start()


def test_a_disk_that_is_lost_after_a_copy_was_put_back_leaves_what_had_been_shown_before() -> None:
    """The job stands on the broker as waiting for its lock."""
    judge = has_queued_since_a_copy()
    judge.hear(DISK_LOST)

    assert judge.lets_it_start()
