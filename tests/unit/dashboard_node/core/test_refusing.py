"""What the refusal of an action says: how the job stands, and what to do instead, for the person goes on from that."""

from __future__ import annotations

import pytest

from schemas.requests import Action
from tests.support.written import Written

WAITS = "a is WAITING"


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (Action.RELEASE, f"{WAITS}: it can be released only when ON_HOLD"),
        (Action.UNSKIP, f"{WAITS}: it can be unskipped only when SKIPPED or SKIPPED_COMPLETE"),
        (Action.ENABLE, f"{WAITS}: only a disabled job can be enabled"),
        (Action.KILL, f"{WAITS}: there is no run of it to kill"),
        (Action.ACKNOWLEDGE, f"{WAITS}: it can be acknowledged only when ERROR or KILLED"),
        (Action.CONTINUE, f"{WAITS}: it can be continued after only when ERROR or ERROR_ACKNOWLEDGED or KILLED"),
    ],
)
def test_what_cannot_be_done_to_a_waiting_job(action: Action, said: str) -> None:
    """How it stands, and how it would have to."""
    office = Written("P[a]")

    assert office.act(action, "north-a").reason == said


DOABLE = "COMPLETE or ERROR or ERROR_ACKNOWLEDGED or KILLED or LOCK_QUEUED or WAITING"


@pytest.mark.parametrize(
    ("story", "action", "said"),
    [
        ("hold", Action.SUBMIT, "ON_HOLD: it can be submitted only when WAITING; release it first"),
        ("hold", Action.RESET, f"ON_HOLD: it can be reset only when {DOABLE}; release it first"),
        ("hold", Action.RESUBMIT, "ON_HOLD: only a job that waits or has ended can be resubmitted"),
        ("hold", Action.SKIP, "ON_HOLD: it can be skipped only when WAITING"),
        ("skip b", Action.SUBMIT, "SKIPPED: it can be submitted only when WAITING; unskip it first"),
        ("skip b", Action.RESET, f"SKIPPED: it can be reset only when {DOABLE}; unskip it instead"),
        ("skip", Action.RESET, f"SKIPPED_COMPLETE: it can be reset only when {DOABLE}; unskip it instead"),
        (
            "skip",
            Action.RESUBMIT,
            "SKIPPED_COMPLETE: only a job that waits or has ended can be resubmitted; unskip it and submit it",
        ),
        ("disable", Action.SUBMIT, "DISABLED: it can be submitted only when WAITING; enable it first"),
        ("submit ok", Action.SUBMIT, "COMPLETE: it can be submitted only when WAITING; use resubmit"),
        ("submit ok", Action.KILL, "COMPLETE: there is no run of it to kill"),
        ("submit ok", Action.DISABLE, "COMPLETE: it can be disabled only when ON_HOLD or SKIPPED or WAITING"),
        ("submit ko", Action.SUBMIT, "ERROR: it can be submitted only when WAITING; use resubmit"),
        ("submit run kill ko", Action.SUBMIT, "KILLED: it can be submitted only when WAITING; use resubmit"),
        ("submit run", Action.RESET, f"RUNNING: it can be reset only when {DOABLE}; kill it first"),
        ("submit run", Action.HOLD, "RUNNING: it can be held only when WAITING"),
        ("submit run kill", Action.KILL, "being killed already; north has not reported its end yet"),
        ("queue", Action.HOLD, "LOCK_QUEUED: it can be held only when WAITING; reset it first"),
    ],
)
def test_what_cannot_be_done_to_other_jobs(story: str, action: Action, said: str) -> None:
    """And what to do instead, where there is something."""
    office = Written("P[x a b | b<-and(a)]", locks="L{x a}")
    job = "b" if story.endswith(" b") else "a"
    for deed in story.removesuffix(" b").split():
        match deed:
            case "run":
                office.starts("a")
            case "ok" | "ko":
                office.ends("a", code=int(deed == "ko"))
            case "queue":
                office.act(Action.SUBMIT, "x")
                office.act(Action.SUBMIT, "a")
            case _:
                assert office.act(Action(deed), f"north-{job}").ok

    assert office.act(action, f"north-{job}").reason == f"{job} is {said}"


@pytest.mark.parametrize(
    "action", [Action.HOLD, Action.SKIP, Action.DISABLE, Action.SUBMIT, Action.RESUBMIT, Action.RESET]
)
def test_what_was_handed_to_an_agent_has_to_be_killed_first(action: Action) -> None:
    """It may have been started already; the refusal names the run."""
    office = Written("P[a]")
    office.act(Action.SUBMIT, "a")
    run = office.run_of("a").id

    said = office.act(action, "north-a").reason
    assert said == f"a has been handed to north as run {run}: kill it before you {action} it"
