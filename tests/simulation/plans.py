"""The plans the simulation runs: small ones that together use all a plan can say.

Windows open in the first twenty minutes alone, so that quiet may be expected afterwards.
Each function gives its plan in as many versions as are asked for; later ones change jobs and dependencies, never the window.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from schemas.names import NodeName
from schemas.plan import (
    Artefact,
    ClockJob,
    CommandJob,
    Context,
    ContextDependency,
    FileJob,
    GlobalJob,
    Grouping,
    JobDependency,
    JobLock,
    LockParticipant,
    OnAgentAway,
    OnBlackout,
    OnEnd,
    Operator,
    OwnWindow,
    Parameter,
    Plan,
    PlanSource,
    Retry,
    ScheduledJob,
    StartupControl,
)
from tests.simulation.world import BEGINNING

AGENTS = (NodeName("north"), NodeName("south"), NodeName("west"))
LABEL = "pool"
"""All agents but the last have it."""
POOL = f"any:{LABEL}"
GROUP = "shop"
FOLDER = "/in"
MINUTE = 60_000
LAST_WINDOW = 20
"""No window opens after this minute."""
EVENT = "nest-done"


def every(minutes: int) -> str:
    """A window's cron: every so many minutes of the first twenty."""
    return f"0 0-{LAST_WINDOW}/{minutes} 0 1 1 ? 2026"


def _millis(minute: int) -> int:
    moment: datetime = BEGINNING + timedelta(minutes=minute)
    return int(moment.timestamp() * 1000)


def _here(*jobs: Artefact | tuple[str, str]) -> tuple[ScheduledJob, ...]:
    """That jobs reside in a context."""
    names = [job if isinstance(job, tuple) else (job.agent_name, job.job_name) for job in jobs]
    return tuple(ScheduledJob(agent_name=agent, job_name=name) for agent, name in names)


def _terms(*names: str) -> tuple[Operator, ...]:
    return tuple(Operator(identifier=name) for name in names)


def _after(job: str, *needed: str, any_of: tuple[str, ...] = (), none_of: tuple[str, ...] = ()) -> JobDependency:
    grouping = Grouping(and_=_terms(*needed), or_=_terms(*any_of), not_=_terms(*none_of))
    return JobDependency(job_identifier=job, logical_grouping=grouping)


def _command(agent: str, name: str, **fields: object) -> CommandJob:
    return CommandJob(agent_name=agent, job_name=name, command_line="work", **fields)  # type: ignore[arg-type]  # fields of the struct


def _clock(agent: str, name: str, cron: str, **fields: object) -> ClockJob:
    return ClockJob(agent_name=agent, job_name=name, cron_expression=cron, time_zone="UTC", **fields)  # type: ignore[arg-type]  # fields of the struct


def chain(version: int) -> PlanSource:
    """One job after the other over three agents, with retries; ends when all of it is complete."""
    tick = _clock("north", "tick", "0/20 * * * * ?")
    extract = _command("north", "extract", context_parameters=(Parameter(name="DAY", default_value="1"),))
    load = _command("south", "load", timeout_seconds=30.0 if version % 2 else 90.0)
    audit = _command("west", "audit", retry=Retry(attempts=3, back_off_seconds=5.0, back_off_factor=2.0))
    report = _command("north", "report", days_of_week_to_run=() if version % 2 else (2, 3, 4))
    jobs: tuple[Artefact, ...] = (tick, extract, load, audit, report)
    plan = Plan(
        name="chain",
        description=f"version {version}",
        environment_group=GROUP,
        time_window_start=every(5),
        context_ttl_milliseconds=4 * MINUTE,
        end_job_plan_upon_completion=True,
        context_parameters=(Parameter(name="DAY", default_value="today"),),
        scheduled_jobs=_here(*jobs),
        job_dependencies=(
            _after(extract.id, tick.id),
            _after(load.id, extract.id),
            _after(audit.id, extract.id) if version % 2 else _after(audit.id, any_of=(extract.id, tick.id)),
            _after(report.id, load.id, audit.id),
        ),
    )
    return PlanSource(plan=plan, jobs=jobs)


def locks(version: int) -> PlanSource:
    """Instances side by side that share locks with each other and with another plan; one job wants to be alone."""
    tick = _clock("west", "tock", "0/30 * * * * ?")
    names = ("one", "two", "wide", "alone") + (("more",) if version > 1 else ())
    agents = ("north", "south", "west", "north", "south")
    commands = [
        _command(
            agent,
            name,
            participates_in_lock=True,
            job_repeatable=name in {"two", "more"},
            retry=Retry(attempts=2, back_off_seconds=3.0) if name == "one" else None,
            days_of_week_to_run=(2, 3) if name == "more" else (),
        )
        for agent, name in zip(agents, names, strict=False)
    ]
    jobs: tuple[Artefact, ...] = (tick, *commands)

    def member(job: CommandJob, weight: int = 1) -> LockParticipant:
        return LockParticipant(agent_name=job.agent_name, job_name=job.job_name, lock_count=weight)

    sharing = [member(job, 2 if job.job_name == "wide" else 1) for job in commands if job.job_name != "alone"]
    plan = Plan(
        name="locks",
        environment_group=GROUP,
        time_window_start=every(4),
        context_ttl_milliseconds=3 * MINUTE,
        able_to_run_concurrently=True,
        scheduled_jobs=_here(*jobs),
        job_dependencies=tuple(_after(job.id, tick.id) for job in commands),
        job_locks=(
            JobLock(name="db", lock_count=2, jobs={"locks": tuple(sharing)}),
            JobLock(name="whole", exclusive_job_lock=True, jobs={"locks": tuple(member(job) for job in commands[3:4])}),
        ),
    )
    return PlanSource(plan=plan, jobs=jobs)


def nest(version: int) -> PlanSource:
    """Contexts in contexts that wait for each other, a job in two of them, a global event; windows that overlap."""
    tick = _clock("south", "tuck", "0/15 * * * * ?")
    shared = _command("south", "shared", retry=Retry(attempts=2, back_off_seconds=10.0, return_codes=(1, 2)))
    apart = _command("west", "apart", target_residing_context_only=True)
    first = _command("north", "first", participates_in_lock=True, skipped_contexts={"inner": version % 3 == 0})
    last = _command("west", "last", held_contexts={"outer": version % 2 == 0})
    done = GlobalJob(agent_name="GLOBAL_EVENT", job_name=EVENT)
    terminal = ("CONTEXT_TERMINAL_JOB", "end")
    bridge = ("BRIDGING_JOB", "bridge")
    local = ("LOCAL_EVENT_JOB", "noted")
    begin = ("CONTEXT_START_JOB", "begin")
    jobs: tuple[Artefact, ...] = (tick, shared, apart, first, last, done)
    inner = Context(
        name="inner",
        scheduled_jobs=_here(begin, tick, first, shared, apart, local),
        job_dependencies=(
            _after("CONTEXT_START_JOB-begin", tick.id),
            _after(first.id, "CONTEXT_START_JOB-begin"),
            _after(shared.id, first.id),
            _after("LOCAL_EVENT_JOB-noted", shared.id, none_of=(apart.id,)),
            _after(apart.id, any_of=(shared.id, first.id)),
        ),
    )
    outer = Context(
        name="outer",
        contexts=(inner,),
        scheduled_jobs=_here(shared, bridge, last, done, terminal),
        job_dependencies=(
            _after("BRIDGING_JOB-bridge", shared.id),
            _after(last.id, "BRIDGING_JOB-bridge"),
            _after(done.id, last.id),
            _after("CONTEXT_TERMINAL_JOB-end", last.id, done.id),
        ),
    )
    after = Context(
        name="after",
        scheduled_jobs=_here(tick, apart),
        job_dependencies=(_after(apart.id, tick.id),),
        context_dependencies=(
            ContextDependency(context_identifier="after", logical_grouping=Grouping(and_=_terms("inner"))),
        ),
    )
    plan = Plan(
        name="nest",
        environment_group=GROUP,
        time_window_start=every(6),
        context_ttl_milliseconds=8 * MINUTE,
        contexts=(outer, after),
        job_locks=(
            JobLock(name="db", lock_count=2, jobs={"inner": (LockParticipant(agent_name="north", job_name="first"),)}),
        ),
        quartz_schedule_driven_jobs_disabled_for_context=version % 4 == 0,
    )
    return PlanSource(plan=plan, jobs=jobs)


def files(version: int) -> PlanSource:
    """Files and clocks with blackouts, and a command that is repeated for each; a blackout of the plan itself."""
    arrival = FileJob(
        agent_name="south",
        job_name="arrival",
        cron_expression="0/10 * * * * ?",
        time_zone="UTC",
        filenames=(f"{FOLDER}/order_.*", f"{FOLDER}/${{kind}}_.*"),
        move_directory="done" if version % 2 else "",
        min_file_age_seconds=0 if version % 2 else 15,
    )
    ranges: dict[str, str | int] = {str(_millis(at)): _millis(at + 2) for at in range(2, LAST_WINDOW, 6)}
    clocks = [
        _clock(
            "north",
            f"clock-{policy}",
            "0/30 * * * * ?",
            on_blackout=policy,
            blackout_window_date_time_ranges=ranges,
            recovery_tolerance=60_000 if policy is OnBlackout.PASS else 0,
            startup_control_type=StartupControl.MANUAL if version == 3 else StartupControl.AUTOMATIC,
        )
        for policy in OnBlackout
    ]
    retry = Retry(attempts=3, back_off_seconds=1.0)
    take = _command("south", "take", job_repeatable=True)
    count = _command("west", "count", job_repeatable=True, successful_return_codes=(0, 3), retry=retry)
    jobs: tuple[Artefact, ...] = (arrival, *clocks, take, count)
    plan = Plan(
        name="files",
        environment_group="other",
        time_window_start=every(7),
        context_ttl_milliseconds=6 * MINUTE,
        context_parameters=(Parameter(name="kind", default_value="bill"),),
        blackout_window_cron_expressions=("* 13-15 * * * ?",),
        scheduled_jobs=_here(*jobs),
        job_dependencies=(
            _after(take.id, arrival.id),
            _after(count.id, any_of=tuple(clock.id for clock in clocks)),
        ),
    )
    return PlanSource(plan=plan, jobs=jobs)


def endless(version: int) -> PlanSource:
    """Only started by hand, and never ended by time; hears another plan's event. What runs at its end may run on."""
    event = GlobalJob(agent_name="GLOBAL_EVENT", job_name=EVENT)
    heard = _command("north", "heard", job_repeatable=True)
    slow = _command("south", "slow", timeout_seconds=None if version % 2 else 600.0)
    never = _command("west", "never")
    jobs: tuple[Artefact, ...] = (event, heard, slow, never)
    plan = Plan(
        name="endless",
        environment_group=GROUP,
        able_to_run_concurrently=True,
        on_end=OnEnd.LEAVE,
        scheduled_jobs=_here(*jobs),
        job_dependencies=(
            _after(heard.id, event.id),
            _after(slow.id, heard.id),
            JobDependency(job_identifier=never.id),
        ),
    )
    return PlanSource(plan=plan, jobs=jobs)


def pool(version: int) -> PlanSource:
    """Jobs of an agent group: what has not started moves when its agent is away, and so do the clock and the file job."""
    tick = _clock(POOL, "tack", "0/20 * * * * ?")
    arrival = FileJob(
        agent_name=POOL,
        job_name="landed",
        cron_expression="0/10 * * * * ?",
        time_zone="UTC",
        filenames=(f"{FOLDER}/order_.*",),
    )
    fan = [_command(POOL, f"fan{number}", job_repeatable=number == 1) for number in range(4)]
    join = _command(POOL, "join", participates_in_lock=True, retry=Retry(attempts=2, back_off_seconds=5.0))
    fixed = _command("west", "fixed")
    jobs: tuple[Artefact, ...] = (tick, arrival, *fan, join, fixed)
    plan = Plan(
        name="pool",
        environment_group=GROUP,
        time_window_start=every(5),
        context_ttl_milliseconds=6 * MINUTE,
        able_to_run_concurrently=True,
        agent_away_milliseconds=15_000,
        on_agent_away=OnAgentAway.LOST if version % 2 else OnAgentAway.WAIT,
        on_end=OnEnd.KILL if version % 2 else OnEnd.LEAVE,
        scheduled_jobs=_here(*jobs),
        job_dependencies=(
            *(_after(job.id, any_of=(tick.id, arrival.id)) for job in fan),
            _after(fixed.id, tick.id),
            _after(join.id, fan[0].id, fan[1].id),
        ),
        job_locks=(
            JobLock(name="db", lock_count=2, jobs={"pool": (LockParticipant(agent_name=POOL, job_name="join"),)}),
        ),
    )
    return PlanSource(plan=plan, jobs=jobs)


HOURS_EVERY, HOURS_LAST = 180, 100
"""Seconds from one opening of a context's own window to the next, and how long it stays open."""
LAST_HOURS = 36
"""The last opening: so many minutes after the beginning."""


def with_hours(source: PlanSource) -> PlanSource:
    """The plan with a window of its own for every context that holds no other one; the plan itself has none."""

    def kept(context: Context) -> Context:
        window = OwnWindow(
            start=f"0 0-{LAST_HOURS}/{HOURS_EVERY // 60} 0 1 1 ? 2026", ttl_milliseconds=HOURS_LAST * 1000
        )
        return replace(
            context,
            contexts=tuple(map(kept, context.contexts)),
            own_window=window if not context.contexts else None,
        )

    plan = source.plan
    return replace(source, plan=replace(plan, contexts=tuple(map(kept, plan.contexts))))


PLANS: tuple[Callable[[int], PlanSource], ...] = (chain, locks, nest, files, endless, pool)
WINDOWS = {"chain": 5, "locks": 4, "nest": 6, "files": 7, "pool": 5}
"""Minutes between the starts of each plan that has a window."""
