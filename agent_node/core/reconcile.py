"""Assigned against journaled: what is to become of each run. Values only; carrying it out is next door (runs)."""

from __future__ import annotations

from enum import StrEnum

from agent_node.core.lifecycle import Stage
from agent_node.core.records import Life, Run
from schemas.documents import Assignment


class Verdict(StrEnum):
    """What an assignment (or its absence) means for a run."""

    LEAVE = "leave"
    """It stands as it should."""
    ACCEPT = "accept"
    """New here."""
    WITHDRAW = "withdraw"
    """It is to be stopped and has not started: it never will."""
    LOSE = "lose"
    """It was handed to a life that these records know nothing of, and which may have started it (S1)."""
    STOP = "stop"
    """It is to be stopped and may have a process."""
    FORGET = "forget"
    """Nobody wants it any more and it never started."""
    LET_GO = "letGo"
    """Its end has been taken: the report goes."""
    SHOW = "show"
    """It has ended (perhaps was let go already) and is assigned: the end is shown."""


def verdict(assignment: Assignment | None, run: Run | None, journal: int) -> Verdict:
    """What to do, of the eight, for an agent that keeps this journal.

    A run without assignment that may have a process runs on: absence never kills.
    """
    if assignment is None:
        if run is None or run.stage.active:
            return Verdict.LEAVE
        return Verdict.FORGET if run.stage is Stage.WAITING else Verdict.LET_GO
    if run is None:
        return Verdict.ACCEPT
    if run.stage is Stage.ENDED:
        return Verdict.SHOW
    if run.stage is Stage.WAITING:
        return _of_waiting(assignment, journal)
    return Verdict.STOP if assignment.stop else Verdict.LEAVE


def _of_waiting(assignment: Assignment, journal: int) -> Verdict:
    if not assignment.hold and assignment.journal not in {0, journal}:
        return Verdict.LOSE
    return Verdict.WITHDRAW if assignment.stop else Verdict.LEAVE


def handed_to(assignment: Assignment, journal: int) -> bool:
    """Whether an agent that keeps this journal may start a run (S1).

    Not what names no journal: that was handed over before the dashboard had heard of the agent, and a life which does not
    remember may have had it as well. It waits until the dashboard names the journal it has heard of.
    """
    return bool(assignment.journal) and assignment.journal == journal


def forgotten(assignment: Assignment, life: Life) -> bool:
    """Whether a run that only the agent's own report tells of may have begun under this very journal: then that is an older copy.

    Not where the journal begins with this life.
    """
    return handed_to(assignment, life.journal) and life.epoch != life.journal


def visible(assignment: Assignment | None, run: Run) -> bool:
    """Whether a run's report is shown: until its end was taken, or its time of grace is over.

    Not while it starts, if it never waited: it runs, or has ended, before anybody could read that it was accepted.
    """
    if run.stage is Stage.STARTING and run.at_once:
        return False
    return run.stage is not Stage.ENDED or assignment is not None or run.let_go_at is not None
