"""What a job that waits for a lock says of it: the first of a queue name who holds it, and a hand-over shows no others."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dashboard_node.core.locks import FEW
from jobplan.simulate.script import Line, Play
from schemas.addresses import Address, JobAt
from schemas.blockers import Blocker
from schemas.documents import Document, JobState
from schemas.plan import JobLock, LockParticipant, PlanSource
from schemas.requests import Action
from tests.scenarios.notation import plan
from tests.support.groups import FIVE_MINUTES, GROUP, NORTH, SOUTH, a_floor, a_group_plan

SINCE = "since 2026-01-01T00:00:00Z"


class Shown:
    """A plan being played, and what stands on the bus of it."""

    def __init__(self, source: PlanSource) -> None:
        self.standing: dict[Address, Document | None] = {}
        self.altered: list[str] = []
        """The jobs whose documents the newest line altered."""
        self.play = Play(source, lambda core, changes: self._show(core.project(changes)))

    def _show(self, documents: object) -> None:
        assert isinstance(documents, dict)
        self.altered += [
            address.job.removeprefix("north-")
            for address, document in documents.items()
            if isinstance(address, JobAt) and self.standing.get(address) != document
        ]
        self.standing |= documents

    def do(self, do: str, job: str) -> None:
        """Play a line."""
        self.altered.clear()
        outcome = self.play.do(1, Line(do=do, job=job))
        assert outcome.refused is None

    def blockers(self, job: str) -> tuple[Blocker, ...]:
        """What keeps a job, by its own document."""
        (found,) = (d for d in self.standing.values() if isinstance(d, JobState) and d.name == job)
        return found.blockers

    def why(self, job: str) -> list[str]:
        """The same in words, without runs."""
        return [blocker.text.partition(" (run")[0] for blocker in self.blockers(job)]


def a_queue(waiting: int) -> Shown:
    """So many jobs wait for a lock that j0 holds."""
    names = [f"j{number}" for number in range(waiting + 1)]
    shown = Shown(plan(f"P[{' '.join(names)}]", locks=f"L{{{' '.join(names)}}}"))
    for name in names:
        shown.do("submit", name)
    return shown


def test_who_holds_the_lock_is_data_on_the_topic_of_who_waits() -> None:
    """The lock, the run, the job and since when it has it; and since when this one waits."""
    shown = a_queue(1)

    (blocker,) = shown.blockers("j1")
    (holder,) = blocker.holders
    assert (blocker.lock, blocker.run) == ("L", holder.run)
    assert (holder.job, holder.run) == ("north-j0", "P-20260101T000000Z~P~north-j0~1")
    assert holder.since == blocker.since
    assert shown.why("j1") == [f"waits for lock L, held by j0 {SINCE}"]


def test_the_first_of_a_queue_say_it_and_those_behind_follow_when_they_move_up() -> None:
    """At each hand-over."""
    shown = a_queue(FEW + 2)
    assert [len(shown.blockers(f"j{number}")[0].holders) for number in range(1, FEW + 3)] == [1] * FEW + [0, 0]
    assert shown.why(f"j{FEW + 1}") == ["waits for lock L"]

    shown.do("ended", "j0")

    assert [shown.blockers(f"j{number}")[0].holders[0].job for number in range(2, FEW + 2)] == ["north-j1"] * FEW
    assert shown.why(f"j{FEW + 2}") == ["waits for lock L"]


@pytest.mark.parametrize("waiting", [10, 1000])
def test_a_hand_over_shows_no_more_of_a_long_queue_than_of_a_short_one(waiting: int) -> None:
    """The two jobs that change hands and the first few who wait."""
    shown = a_queue(waiting)

    shown.do("ended", "j0")

    assert sorted(shown.altered) == sorted(["j0", "j1", *(f"j{number}" for number in range(2, 2 + FEW))])


def test_joining_a_queue_shows_nobody_else() -> None:
    """Who waits already waits for the same as before."""
    shown = a_queue(2)
    shown.do("reset", "j2")

    shown.do("submit", "j2")

    assert shown.altered == ["j2"]


def test_an_exclusive_job_names_whom_it_waits_for_and_is_named() -> None:
    """It waits for all locks of the group; who comes after it waits for it, first before it has run, then while it does."""
    shown = Shown(plan("P[a b c x]", locks="L{a} K{b} M{c} X!{x}"))
    for job in ("a", "b", "x", "c"):
        shown.do("submit", job)
    assert [holder.job for holder in shown.blockers("x")[0].holders] == ["north-a", "north-b"]
    assert shown.why("c") == ["waits for lock M until x has run, which has to be alone"]

    shown.do("ended", "a")
    assert [holder.job for holder in shown.blockers("x")[0].holders] == ["north-b"]

    shown.do("ended", "b")
    assert shown.why("c") == [f"waits for lock M, held by x {SINCE}"]
    shown.do("ended", "x")
    assert shown.blockers("c")[0].kind == "agent"


def test_of_many_who_hold_it_the_first_few_are_named() -> None:
    """A document does not grow with them."""
    names = [f"j{number}" for number in range(7)]
    shown = Shown(plan(f"P[{' '.join(names)} w]", locks=f"L:7{{{' '.join(names)} w}}"))
    for name in [*names, "w"]:
        shown.do("submit", name)

    (blocker,) = shown.blockers("w")
    assert [holder.job for holder in blocker.holders] == ["north-j0", "north-j1", "north-j2"]
    assert blocker.text.endswith(" and 4 more")


def test_of_several_locks_the_free_one_is_said_to_be_free() -> None:
    """It is taken together with the others."""
    shown = Shown(plan("P[a b]", locks="L{a b} K{b}"))
    shown.do("submit", "a")

    shown.do("submit", "b")

    assert shown.why("b") == ["waits for lock K, which nobody holds now", f"waits for lock L, held by a {SINCE}"]


def test_a_run_that_moves_to_another_agent_is_named_anew() -> None:
    """Its place in the lock is the old one's, and so is since when."""
    members = tuple(LockParticipant(agent_name=GROUP, job_name=name) for name in "cd")
    source = a_group_plan()
    locks = (JobLock(name="L", jobs={"P": members}),)
    floor = a_floor(NORTH, SOUTH, plan=replace(source, plan=replace(source.plan, job_locks=locks)))
    for job in "cd":
        floor.act(Action.SUBMIT, f"{GROUP}-{job}")
    (before,) = floor.job("d").blockers

    floor.hears(floor.run("c").agent, alive=False)
    floor.until(floor.now + FIVE_MINUTES)

    (after,) = floor.job("d").blockers
    assert after.run == floor.run("c").id != before.run
    assert after.holders[0].since == before.holders[0].since
