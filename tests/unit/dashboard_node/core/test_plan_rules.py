"""The rules of what is in a plan: names, artefacts, agents, commands, files, locks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from dashboard_node.core.plan_rules import faults
from schemas.plan import (
    Artefact,
    ClockJob,
    CommandJob,
    Context,
    FileJob,
    GlobalJob,
    JobDependency,
    JobLock,
    LockParticipant,
    Parameter,
    Plan,
    PlanSource,
    Retry,
    ScheduledJob,
)
from schemas.processes import ProcessWish
from schemas.requests import Fault

CRON = "0 0 1 ? * *"


def a_command(name: str = "J", agent: str = "a") -> CommandJob:
    """A command."""
    return CommandJob(agent_name=agent, job_name=name, command_line="true")


def a_clock(name: str = "Q") -> ClockJob:
    """A clock job."""
    return ClockJob(agent_name="a", job_name=name, cron_expression=CRON)


def a_file(name: str = "F") -> FileJob:
    """A file job."""
    return FileJob(agent_name="a", job_name=name, cron_expression=CRON, filenames=("/in/x",))


def a_plan(*jobs: Artefact, locks: tuple[JobLock, ...] = (), contexts: tuple[Context, ...] = ()) -> PlanSource:
    """A plan with these jobs, none of which waits for another."""
    plan = Plan(
        name="P",
        time_window_start=CRON,
        context_ttl_milliseconds=1000,
        scheduled_jobs=tuple(ScheduledJob(agent_name=job.agent_name, job_name=job.job_name) for job in jobs),
        job_dependencies=tuple(JobDependency(job_identifier=job.id) for job in jobs),
        job_locks=locks,
        contexts=contexts,
    )
    return PlanSource(plan=plan, jobs=jobs)


def changed(source: PlanSource, **fields: object) -> PlanSource:
    """The same with other fields of the plan."""
    return replace(source, plan=replace(source.plan, **fields))


def wrong(source: PlanSource) -> list[str]:
    """The paths of the errors."""
    return [fault.path for fault in faults(source) if not fault.warning]


def odd(source: PlanSource) -> list[str]:
    """The paths of the warnings, without the one that a command starts only by hand."""
    return [f.path for f in faults(source) if f.warning and not f.message.startswith("nothing starts the")]


def only(source: PlanSource) -> Fault:
    """The only fault but for commands that start by hand."""
    (fault,) = [f for f in faults(source) if not f.message.startswith("nothing starts the")]
    return fault


def test_a_good_plan_has_no_faults() -> None:
    """With jobs of every kind."""
    event = GlobalJob(agent_name="GLOBAL_EVENT", job_name="G")
    source = a_plan(a_command(), a_clock(), a_file(), event)
    assert wrong(source) == odd(source) == []


def test_scenario_220_a_job_in_no_dependency_is_refused() -> None:
    """Being an operand of another job's grouping is enough, being in another context's is not."""
    assert wrong(changed(a_plan(a_command()), job_dependencies=())) == ["$.scheduledJobs[0]"]


def test_scenario_220_a_dependency_on_an_absent_job_is_refused() -> None:
    """With the context it is in, or the name that was perhaps meant."""
    child = Context(name="C", job_dependencies=(JobDependency(job_identifier="a-J"),))
    (fault,) = [f for f in faults(a_plan(a_command(), contexts=(child,))) if not f.warning]
    assert fault.path == "$.contexts[0].jobDependencies[0].jobIdentifier"
    assert "it resides in 'P'" in fault.message
    more = (JobDependency(job_identifier="a-Load1"), JobDependency(job_identifier="a-Lode1"))
    (fault,) = [f for f in faults(changed(a_plan(a_command("Load1")), job_dependencies=more)) if not f.warning]
    assert "did you mean 'a-Load1'?" in fault.message


def test_scenario_220_context_names_are_unique() -> None:
    """The plan's own name counts too."""
    twice = (Context(name="C"), Context(name="D", contexts=(Context(name="C"), Context(name="P"), Context(name=" "))))
    assert wrong(a_plan(contexts=twice)) == [f"$.contexts[1].contexts[{index}].name" for index in (0, 1, 2)]


def test_scenario_220_a_job_without_artefact_is_refused() -> None:
    """Once for each job, wherever it resides."""
    entry = ScheduledJob(agent_name="a", job_name="J")
    child = Context(name="C", scheduled_jobs=(entry,), job_dependencies=(JobDependency(job_identifier="a-J"),))
    source = replace(a_plan(a_command(), contexts=(child,)), jobs=())
    assert wrong(source) == ["$.scheduledJobs[0]"]


def test_scenario_220_jobs_have_names() -> None:
    """In the plan and in artefacts; and agents."""
    nameless = replace(a_command(), job_name=" ")
    homeless = replace(a_command(), agent_name="")
    assert wrong(a_plan(nameless)) == ["$.scheduledJobs[0].jobName", "jobs/internal/  $.jobName"]
    assert wrong(a_plan(homeless)) == ["$.scheduledJobs[0].agentName", "jobs/internal/J $.agentName"]


def test_scenario_221_the_dashboards_own_jobs_need_no_artefact() -> None:
    """Start, terminal, local and bridging jobs are made from the plan. A global event is not."""
    agents = ("CONTEXT_START_JOB", "CONTEXT_TERMINAL_JOB", "LOCAL_EVENT_JOB", "BRIDGING_JOB", "GLOBAL_EVENT")
    entries = tuple(ScheduledJob(agent_name=agent, job_name="J") for agent in agents)
    dependencies = tuple(JobDependency(job_identifier=entry.id) for entry in entries)
    assert wrong(changed(a_plan(), scheduled_jobs=entries, job_dependencies=dependencies)) == ["$.scheduledJobs[4]"]


def test_jobs_are_listed_and_described_once() -> None:
    """In one context, and in the bundle."""
    source = a_plan(a_command())
    twice = changed(source, scheduled_jobs=source.plan.scheduled_jobs * 2)
    assert wrong(twice) == ["$.scheduledJobs[1]"]
    assert wrong(replace(source, jobs=source.jobs * 2)) == ["jobs/internal/J"]


def test_identifiers_that_collide_are_refused() -> None:
    """`a-b` + `c` and `a` + `b-c` are one identifier."""
    source = a_plan(a_command("c", "a-b"))
    source = replace(source, jobs=(*source.jobs, a_command("b-c", "a")))
    assert "have the same identifier 'a-b-c'" in " ".join(f.message for f in faults(source) if not f.warning)


def test_names_of_one_file_are_told() -> None:
    """An export by Ikasan would keep one of them."""
    assert odd(a_plan(a_command("a/b"), a_command("a:b"), a_command("A*B"))) == [
        "jobs/internal/a:b",
        "jobs/internal/A*B",
    ]


def test_agents_say_the_kind_of_their_jobs() -> None:
    """And the dashboard's own names are not those of hosts."""
    assert wrong(a_plan(GlobalJob(agent_name="a", job_name="G"))) == ["jobs/global/G $.agentName"]
    assert wrong(a_plan(a_command("J", "GLOBAL_EVENT"))) == ["jobs/internal/J $.agentName"]
    assert odd(a_plan(a_command("J", "LOCAL_EVENT_JOB"))) == ["jobs/internal/J"]
    assert odd(a_plan(a_command("J", "global_events"))) == ["$.scheduledJobs[0].agentName"]


def test_what_counts_for_nothing_is_told() -> None:
    """An artefact of no context, another plan's name, contexts where the job does not reside."""
    assert odd(replace(a_plan(), jobs=(a_command(),))) == ["jobs/internal/J"]
    job = replace(a_command(), context_name="Q", skipped_contexts={"P": True, "C": True}, held_contexts={"D": True})
    assert odd(a_plan(job)) == [
        f"jobs/internal/J $.{key}" for key in ("contextName", "skippedContexts", "heldContexts")
    ]


def test_a_childs_window_is_ignored_and_told() -> None:
    """A plan without one is started by people. Parameters of a child are fine."""
    child = Context(name="C", time_window_start="nonsense", context_parameters=(Parameter(name="x"),))
    assert odd(a_plan(contexts=(child,))) == ["$.contexts[0].timeWindowStart"]
    assert odd(changed(a_plan(), time_window_start="")) == ["$.timeWindowStart"]


COMMANDS: dict[str, Callable[[CommandJob], CommandJob]] = {
    "commandLine": lambda job: replace(job, command_line=" \n"),
    "arguments": lambda job: replace(job, arguments=("x",)),
    "arguments[0]": lambda job: replace(job, command_line="", arguments=(" ", "x")),
    "process.nice": lambda job: replace(job, process=ProcessWish(nice=99)),
    "successfulReturnCodes[1]": lambda job: replace(job, successful_return_codes=("0", "none")),
    "daysOfWeekToRun[0]": lambda job: replace(job, days_of_week_to_run=(0, 7)),
    "daysOfWeekToRun[1]": lambda job: replace(job, days_of_week_to_run=(1, 8)),
    "minExecutionTime": lambda job: replace(job, min_execution_time=-2),
    "timeoutSeconds": lambda job: replace(job, timeout_seconds=0.0),
    "retry.attempts": lambda job: replace(job, retry=Retry(attempts=0)),
    "retry.backOffSeconds": lambda job: replace(job, retry=Retry(back_off_seconds=-1.0)),
    "retry.backOffFactor": lambda job: replace(job, retry=Retry(back_off_factor=0.5)),
    "retry.maxBackOffSeconds": lambda job: replace(job, retry=Retry(max_back_off_seconds=float("nan"))),
    "contextParameters[0].name": lambda job: replace(job, context_parameters=(Parameter(name="a=b"),)),
}


@pytest.mark.parametrize(("key", "spoil"), COMMANDS.items(), ids=COMMANDS)
def test_commands_that_could_not_run_are_refused(key: str, spoil: Callable[[CommandJob], CommandJob]) -> None:
    """One thing wrong, one fault, at its key."""
    fault = only(a_plan(spoil(a_command())))
    assert (fault.path, fault.warning) == (f"jobs/internal/J $.{key}", False)


def test_commands_that_are_perhaps_not_meant_are_told() -> None:
    """They work as they stand."""
    longer = replace(a_command(), min_execution_time=9, max_execution_time=3)
    capped = replace(a_command("K"), retry=Retry(max_back_off_seconds=1.0))
    twice = replace(a_command("L"), context_parameters=(Parameter(name="x"), Parameter(name="x")))
    assert odd(a_plan(longer, capped, twice)) == [
        "jobs/internal/J $.minExecutionTime",
        "jobs/internal/K $.retry.maxBackOffSeconds",
        "jobs/internal/L $.contextParameters[1].name",
    ]


@pytest.mark.parametrize("pattern", ["/in/(", "/in/", "", "/in/[a", "/in/*", "\\p{Alpha}"])
def test_file_names_that_match_nothing_are_refused(pattern: str) -> None:
    """No regular expression, or none at all."""
    fault = only(a_plan(replace(a_file(), filenames=("ok", pattern))))
    assert (fault.path, fault.warning) == ("jobs/file/F $.filenames[1]", False)


@pytest.mark.parametrize(
    "pattern", ["/in/.*\\.csv", "x", "/a b/[[x]y]*", "\\Q(.\\E", "(?<day>\\d+)", "f_${date}.csv", "a++"]
)
def test_file_names_of_ikasan_are_accepted(pattern: str) -> None:
    """Java's quotations and named groups too, and parameters."""
    assert wrong(a_plan(replace(a_file(), filenames=(pattern,)))) == []


def test_file_jobs_look_somewhere() -> None:
    """For something, at some depth."""
    job = replace(a_file(), filenames=(), directory_depth=0, min_file_age_seconds=-1)
    assert wrong(a_plan(job)) == [
        f"jobs/file/F $.{key}" for key in ("filenames", "directoryDepth", "minFileAgeSeconds")
    ]


def test_polls_and_waits_are_spans_of_time() -> None:
    """Who polls every few seconds needs no cron expression; what is not moved, is not packed."""
    good = replace(a_file(), poll_seconds=2, cron_expression="")
    bad = replace(good, poll_seconds=-1.0, stable_seconds=float("inf"), cron_expression=CRON, compress_moved=True)

    assert wrong(a_plan(good)) == []
    assert wrong(a_plan(bad)) == ["jobs/file/F $.pollSeconds", "jobs/file/F $.stableSeconds"]
    assert [fault.path for fault in faults(a_plan(bad)) if fault.warning][-1:] == ["jobs/file/F $.compressMoved"]


def a_lock(count: int = 1, weight: int = 1, job: str = "J", *, exclusive: bool = False) -> JobLock:
    """A lock with one participant in the plan."""
    participant = LockParticipant(agent_name="a", job_name=job, lock_count=weight)
    return JobLock(name="l", lock_count=count, exclusive_job_lock=exclusive, jobs={"P": (participant,)})


LOCKS: dict[str, tuple[JobLock, list[str]]] = {
    "good": (a_lock(2, 2), []),
    "no capacity": (a_lock(0, 1), [".lockCount"]),
    "heavier than the lock": (a_lock(1, 2), [".jobs.P[0].lockCount"]),
    "no weight": (a_lock(1, 0), [".jobs.P[0].lockCount"]),
    "exclusive has no capacity": (a_lock(0, 3, exclusive=True), []),
    "no such job": (a_lock(job="K"), [".jobs.P[0]"]),
    "no such context": (replace(a_lock(), jobs={"C": ()}), [".jobs.C"]),
    "no name": (replace(a_lock(), name=""), [".name"]),
}


@pytest.mark.parametrize(("lock", "paths"), LOCKS.values(), ids=LOCKS)
def test_locks_can_be_held(lock: JobLock, paths: list[str]) -> None:
    """By their participants, who reside where the lock says."""
    assert wrong(a_plan(a_command(), locks=(lock,))) == [f"$.jobLocks[0]{path}" for path in paths]


def test_a_lock_is_defined_once() -> None:
    """Twice the same warns, twice differently is refused; in any context."""
    child = Context(name="C", job_locks=(a_lock(),))
    assert odd(a_plan(a_command(), locks=(a_lock(),), contexts=(child,))) == ["$.contexts[0].jobLocks[0]"]
    assert wrong(a_plan(a_command(), locks=(a_lock(), a_lock(2)))) == ["$.jobLocks[1]"]


def test_who_takes_what_together_is_told() -> None:
    """An exclusive and a counted lock contradict each other; several counted ones are more than Ikasan does."""
    other = replace(a_lock(), name="m")
    exclusive = replace(a_lock(exclusive=True), name="x")
    assert odd(a_plan(a_command(), locks=(a_lock(), other))) == ["$.jobLocks[1]"]
    assert wrong(a_plan(a_command(), locks=(a_lock(), exclusive))) == ["$.jobLocks[0]"]


def test_participants_that_take_no_lock_are_told() -> None:
    """Clock and file jobs are never gated; who is listed twice counts once; an exclusive lock's count says nothing."""
    assert odd(a_plan(a_clock("J"), locks=(a_lock(),))) == ["$.jobLocks[0].jobs.P[0]"]
    twice = replace(a_lock(), jobs={"P": a_lock().jobs["P"] * 2})
    assert odd(a_plan(a_command(), locks=(twice,))) == ["$.jobLocks[0].jobs.P[1]"]
    assert odd(a_plan(a_command(), locks=(a_lock(3, exclusive=True),))) == ["$.jobLocks[0].lockCount"]
