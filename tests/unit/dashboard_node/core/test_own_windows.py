"""Contexts inside a plan with a window of their own: what is due outside of it is remembered until it opens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from schemas.codec import decode
from schemas.estimates import Estimated, EstimateEnd
from schemas.plan import CommandJob, PlanSource, Retry
from schemas.requests import Action, EndInstance, MoveEnd
from schemas.status import JobStatus
from tests.support.nets import net
from tests.support.office import Office, at

HOUR = 3_600_000


def context(name: str, *jobs: str, **more: object) -> dict[str, object]:
    """A context with these jobs; ``b`` comes after ``file``, the others after nothing."""
    after = {"b": {"logicalGrouping": {"and": [{"identifier": "a-file"}]}}}
    return {
        "name": name,
        "scheduledJobs": [{"agentName": "a", "jobName": job} for job in jobs],
        "jobDependencies": [{"jobIdentifier": f"a-{job}"} | after.get(job, {}) for job in jobs],
        **more,
    }


def an_office(start: str = "0 0 22 * * ?", hours: float = 2, **fields: object) -> Office:
    """At noon, in an instance that is open from 01:00 to 24:00.

    Its ``Load`` (``a``) runs at any time; ``Report`` (``file``, ``b``, and ``d`` in ``Deep``) in its own window from 22:00.
    """
    window = {"start": start, "ttlMilliseconds": int(hours * HOUR)}
    report = context("Report", "file", "b", contexts=[context("Deep", "d")], ownWindow=window)
    inside = {"scheduledJobs": [], "jobDependencies": [], "contexts": [context("Load", "a"), report]}
    office = Office(at("04-02 00:30"))
    office.imports(net({"a": [], "file": [], "b": [], "d": []}, **(inside | fields)))
    office.until(at("04-02 12:00"))
    return office


def tried_twice() -> PlanSource:
    """A command ``a`` that is tried again after ten minutes, in a context that is open at 10:00 and at 22:00 for an hour."""
    window = {"start": "0 0 10,22 * * ?", "ttlMilliseconds": HOUR}
    inside = [context("C", "a", ownWindow=window)]
    source = net({"a": []}, scheduledJobs=[], jobDependencies=[], contexts=inside)
    job = source.jobs[0]
    assert isinstance(job, CommandJob)
    return replace(source, jobs=(replace(job, retry=Retry(attempts=2, back_off_seconds=600)),))


def why(office: Office, job: str) -> list[tuple[str, str]]:
    """Kind and text of what keeps a job."""
    [shown] = office.jobs(job)
    return [(blocker.kind, blocker.text) for blocker in shown.blockers]


SHUT = ("window", "context Report is outside its own window until 2026-04-02 22:00:00Z")


def test_what_is_due_before_its_window_starts_when_that_opens() -> None:
    """The file comes at noon; at 22:00 it counts, and the command after it starts at once."""
    office = an_office()

    office.fires("file")
    early = office.status("file"), office.runs()
    office.until(at("04-02 21:59:59"))
    before = office.runs()
    office.until(at("04-02 22:00"))

    assert (early, before) == ((JobStatus.WAITING, {}), {})
    assert office.status("file") == JobStatus.COMPLETE
    assert list(office.runs()) == ["b"]
    assert office.now == at("04-02 22:00")


def test_jobs_say_until_when_they_wait() -> None:
    """Those of contexts inside it too; not those of others; and no more once it is open."""
    office = an_office()
    office.fires("file")

    shut = why(office, "file"), why(office, "d")[0], why(office, "a")
    until = office.jobs("d")[0].blockers[0].until
    office.until(at("04-02 22:00"))

    assert shut[:2] == ([SHUT], SHUT)
    assert SHUT not in shut[2]
    assert until == at("04-02 22:00")
    assert [kind for kind, _ in why(office, "d")] == ["notTriggered"]


@pytest.mark.parametrize("action", [Action.SUBMIT, Action.RESUBMIT])
def test_a_person_stands_in_for_dependencies_and_not_for_the_window(action: Action) -> None:
    """Refused with the time, and nothing has changed (S2); granted when it is open."""
    office = an_office()

    refused = office.act(action, "d")
    nothing = office.runs()
    office.until(at("04-02 22:30"))
    granted = office.act(action, "d")

    assert refused.reason == f"{SHUT[1]}; {action} d when that is open"
    assert nothing == {}
    assert granted.ok
    assert list(office.runs()) == ["d"]


def test_when_it_shuts_what_runs_goes_on_and_what_has_not_started_waits() -> None:
    """The window is open from 10:00 to 11:00 and from 22:00 to 23:00; the file comes between them."""
    office = an_office(start="0 0 10,22 * * ?", hours=1)
    office.now = at("04-02 12:00")
    office.fires("file")
    office.until(at("04-02 22:30"))
    office.starts("b")

    office.until(at("04-02 23:00"))
    office.ends("b")
    late = office.act(Action.SUBMIT, "d")

    assert office.status("b") == JobStatus.COMPLETE
    assert not late.ok
    assert "until 2026-04-03 10:00:00Z" in late.reason


def test_it_counts_from_the_moment_the_instance_opens() -> None:
    """Open since before: nothing waits."""
    office = an_office(start="0 0 0 * * ?", hours=23)

    office.fires("file")

    assert list(office.runs()) == ["b"]


def test_a_dashboard_that_was_away_when_it_opened_starts_what_waits_when_it_is_back() -> None:
    """Nothing of it was saved but that the file had come."""
    office = an_office()
    office.fires("file")

    office.down_until(at("04-02 22:40"))

    assert office.status("file") == JobStatus.COMPLETE
    assert list(office.runs()) == ["b"]


def test_a_dashboard_that_was_away_when_it_shut_starts_nothing_any_more() -> None:
    """Restarted before, during and after the window: the same as if it had stayed."""
    office = an_office(hours=0.5)
    office.down_until(at("04-02 13:00"))
    early = why(office, "d")[0]
    office.down_until(at("04-02 22:10"))
    during = why(office, "d")[0][0]

    office.down_until(at("04-02 23:00"))
    office.fires("file")

    assert (early, during) == (SHUT, "notTriggered")
    assert office.runs() == {}
    assert why(office, "file") == [("window", "context Report is outside its own window until 2026-04-03 22:00:00Z")]


def test_a_dashboard_that_lost_its_disk_still_keeps_to_it() -> None:
    """The window follows from the plan's version, which stands on the broker."""
    office = an_office()
    office.fires("file")

    office.lose_disk()
    kept = office.runs()
    office.until(at("04-02 22:00"))

    assert kept == {}
    assert list(office.runs()) == ["b"]


def test_what_waits_for_a_lock_when_it_shuts_gives_its_place_away() -> None:
    """Nobody starts outside the window because a lock comes free; it waits for the next opening."""
    jobs = {"Load": [{"agentName": "a", "jobName": "a"}], "Deep": [{"agentName": "a", "jobName": "d"}]}
    lock = {"name": "L", "jobs": jobs}
    office = an_office(start="0 0 10,14,22 * * ?", hours=1, jobLocks=[lock])
    office.act(Action.SUBMIT, "a")
    office.until(at("04-02 14:30"))
    office.act(Action.SUBMIT, "d")
    queued = office.status("d")

    office.until(at("04-02 16:00"))
    office.ends("a")
    kept = office.status("d"), office.runs()
    queued_at = {copy.queued_at for copy in office.core.state.machines[office.only.id].copies}
    office.until(at("04-02 22:00"))

    assert queued == JobStatus.LOCK_QUEUED
    assert kept == (JobStatus.WAITING, {})
    assert queued_at == {None}
    assert list(office.runs()) == ["d"]


@pytest.mark.parametrize(("back", "running"), [("12:40", ["d"]), ("13:10", [])])
def test_a_lock_that_came_free_while_the_dashboard_was_away(back: str, running: list[str]) -> None:
    """Its holder's instance is over when the dashboard is back: who queued starts if its own window is open until 13:00 still."""
    lock = {"name": "L", "jobs": {"Deep": [{"agentName": "a", "jobName": "d"}]}}
    office = an_office(start="0 0 10 * * ?", hours=3, jobLocks=[lock])
    one = office.only.id
    lock = {"name": "L", "jobs": {"Q": [{"agentName": "a", "jobName": "x"}]}}
    office.imports(net({"x": []}, name="Q", jobLocks=[lock]))
    other = office.instances[-1].id
    office.ask(MoveEnd(instance=other, closes=at("04-02 12:30")))
    assert office.act(Action.SUBMIT, "x", other).ok
    office.starts("x", other)
    assert office.act(Action.SUBMIT, "d", one).ok
    queued = office.status("d", one)

    office.down_until(at(f"04-02 {back}"))

    assert queued == JobStatus.LOCK_QUEUED
    assert (list(office.runs(one)), office.status("d", one)) == (running, JobStatus.WAITING)


def test_another_attempt_waits_for_it_too() -> None:
    """The job fails shortly before the window shuts, and is tried again when that opens."""
    office = Office(at("04-02 00:30"))
    office.imports(tried_twice())
    office.until(at("04-02 10:59"))
    office.act(Action.SUBMIT, "a")
    office.ends("a", code=1)

    office.until(at("04-02 11:30"))
    kept = office.runs(), why(office, "a")
    office.until(at("04-02 22:00"))

    assert kept == ({}, [("window", "context C is outside its own window until 2026-04-02 22:00:00Z")])
    assert [run.attempt for run in office.runs().values()] == [2]


def test_a_window_inside_a_window_needs_both() -> None:
    """The outer one is open from 10:00 to 12:00, the inner one from 11:00 to 13:00; the job says which one it waits for."""
    inner = context("Inner", "file", "b", ownWindow={"start": "0 0 11 * * ?", "ttlMilliseconds": 2 * HOUR})
    outer = context("Outer", contexts=[inner], ownWindow={"start": "0 0 10 * * ?", "ttlMilliseconds": 2 * HOUR})
    office = Office(at("04-02 00:30"))
    office.imports(net({"file": [], "b": []}, scheduledJobs=[], jobDependencies=[], contexts=[outer]))
    office.until(at("04-02 10:30"))
    office.fires("file")
    early = why(office, "file")

    office.until(at("04-02 11:00"))
    both = list(office.runs())
    office.until(at("04-02 12:30"))

    assert early == [("window", "context Inner is outside its own window until 2026-04-02 11:00:00Z")]
    assert both == ["b"]
    assert not office.act(Action.SUBMIT, "file").ok


def test_an_instance_that_has_ended_has_no_openings_to_come() -> None:
    """Nothing is due for it but its removal."""
    office = an_office()
    office.fires("file")

    office.ask(EndInstance(instance=office.only.id))
    office.until(at("04-02 22:00") + timedelta(minutes=1))

    assert [row for row in office.audit if row.kind == "run"] == []


def test_the_projected_end_knows_of_it() -> None:
    """What waits for 22:00 begins then: the instance is complete when ``b`` has taken its usual time."""
    office = an_office()
    office.fires("file")
    office.until(at("04-02 22:00"))
    office.starts("b")
    office.now += timedelta(minutes=10)
    office.ends("b", started=at("04-02 22:00"))
    office.until(at("04-03 12:00"))
    one = office.instances[-1].id
    office.fires("file", instance=one)

    found = decode(bytes(office.ask(EstimateEnd(instance=one, each=True)).data), Estimated)

    assert {job.name: job.starts for job in found.jobs}["b"] == at("04-03 22:00")
