"""Plans as hypothesis draws them: any tree of contexts, with jobs of all kinds, groupings, locks and windows.

``plan_sources`` draws plans that keep every rule, so that they may be imported; break one on purpose to see it refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from schemas.plan import (
    Artefact,
    ClockJob,
    CommandJob,
    Context,
    FileJob,
    GlobalJob,
    Grouping,
    JobDependency,
    JobLock,
    LockParticipant,
    OnBlackout,
    Operator,
    Parameter,
    Plan,
    PlanSource,
    Retry,
    ScheduledJob,
    StartupControl,
)
from schemas.status import JobKind

AGENTS = ("agent-1", "agent-2", "host_ü")
CRONS = ("0 0 1 ? * * *", "0/30 * * * * ?", "0 15 10 ? * MON-FRI", "0 0 12 L * ?", "0 0 2 ? * 2#1")
ZONES = ("", "UTC", "Europe/London", "Asia/Kolkata")
_KINDS = (JobKind.COMMAND, JobKind.CLOCK, JobKind.FILE, JobKind.GLOBAL, JobKind.START, JobKind.TERMINAL, JobKind.LOCAL)
_DASHBOARD_AGENTS = {
    JobKind.GLOBAL: "GLOBAL_EVENT",
    JobKind.START: "CONTEXT_START_JOB",
    JobKind.TERMINAL: "CONTEXT_TERMINAL_JOB",
    JobKind.LOCAL: "LOCAL_EVENT_JOB",
}

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12).filter(
    lambda name: bool(name.strip()) and "[[" not in name
)
"""Names as people give them, and as they do not: blanks, slashes, quotes, any alphabet."""

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)
"""Any text that JSON can hold."""


def commands(agent: str, name: str) -> SearchStrategy[CommandJob]:
    """Command jobs."""
    return st.builds(
        CommandJob,
        agent_name=st.just(agent),
        job_name=st.just(name),
        job_description=texts,
        command_line=st.sampled_from(["true", "if [[ -f x ]]; then\n  ls\nfi", "grep '[[:alpha:]]' f", 'echo "$a"']),
        working_directory=st.sampled_from(["", "/opt/x", "C:\\work"]),
        successful_return_codes=st.lists(st.one_of(st.integers(0, 255), st.sampled_from(["0", "4"])), max_size=2).map(
            tuple
        ),
        days_of_week_to_run=st.lists(st.integers(1, 7), max_size=3, unique=True).map(tuple),
        context_parameters=st.lists(parameters(), max_size=2, unique_by=lambda p: p.name).map(tuple),
        startup_control_type=st.sampled_from(StartupControl),
        job_repeatable=st.booleans(),
        target_residing_context_only=st.booleans(),
        retry=st.none() | st.builds(Retry, attempts=st.integers(1, 5)),
        timeout_seconds=st.none() | st.floats(1, 1e6),
    )


def parameters() -> SearchStrategy[Parameter]:
    """Parameters with a default."""
    return st.builds(Parameter, name=st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True), default_value=texts)


def _blackouts() -> SearchStrategy[dict[str, str | int]]:
    starts = st.integers(0, 2_000_000_000_000)
    return st.dictionaries(starts.map(str), st.integers(2_000_000_000_000, 3_000_000_000_000).map(str), max_size=2).map(
        dict
    )


def clocks(agent: str, name: str) -> SearchStrategy[ClockJob]:
    """Clock jobs."""
    return st.builds(
        ClockJob,
        agent_name=st.just(agent),
        job_name=st.just(name),
        cron_expression=st.sampled_from(CRONS),
        time_zone=st.sampled_from(ZONES),
        blackout_window_cron_expressions=st.lists(st.sampled_from(CRONS), max_size=2).map(tuple),
        blackout_window_date_time_ranges=_blackouts(),
        drop_event_on_blackout=st.booleans(),
        on_blackout=st.none() | st.sampled_from(OnBlackout),
        passthrough_properties=st.dictionaries(names, texts, max_size=2),
    )


def files(agent: str, name: str) -> SearchStrategy[FileJob]:
    """File jobs."""
    return st.builds(
        FileJob,
        agent_name=st.just(agent),
        job_name=st.just(name),
        cron_expression=st.sampled_from(CRONS),
        filenames=st.lists(st.sampled_from(["/in/.*\\.csv", "feed_\\d+", "/a/\\Qx.y\\E"]), min_size=1, max_size=2).map(
            tuple
        ),
        directory_depth=st.integers(1, 5),
        min_file_age_seconds=st.integers(0, 600),
        move_directory=st.sampled_from(["", ".", "/done"]),
    )


@st.composite
def artefacts(draw: DrawFn, kind: JobKind, name: str) -> Artefact | ScheduledJob:
    """A job of a kind; one that needs no artefact comes as the entry of a context."""
    agent = _DASHBOARD_AGENTS.get(kind) or draw(st.sampled_from(AGENTS))
    match kind:
        case JobKind.COMMAND:
            return draw(commands(agent, name))
        case JobKind.CLOCK:
            return draw(clocks(agent, name))
        case JobKind.FILE:
            return draw(files(agent, name))
        case JobKind.GLOBAL:
            return GlobalJob(agent_name=agent, job_name=name)
        case _:
            return ScheduledJob(agent_name=agent, job_name=name)


@st.composite
def groupings(draw: DrawFn, identifiers: Sequence[str], depth: int = 2) -> Grouping:
    """A grouping over some of the identifiers that can hold: what is in ``not`` is nowhere else."""
    order = draw(st.permutations(identifiers))
    cut = draw(st.integers(0, min(1, len(order) - 1)))
    return draw(_positive(order[cut:], depth, [Operator(identifier=name) for name in order[:cut]]))


@st.composite
def _positive(draw: DrawFn, identifiers: Sequence[str], depth: int, not_: Sequence[Operator] = ()) -> Grouping:
    """``and``, ``or``, and what is nested."""
    operators = st.sampled_from(identifiers).map(lambda name: Operator(identifier=name))
    if depth:
        nested = _positive(identifiers, depth - 1).map(lambda inner: Operator(logical_grouping=inner))
        operators = operators | nested
    all_of = draw(st.lists(operators, max_size=3))
    any_of = draw(st.lists(operators, max_size=3, min_size=0 if all_of else 1))
    inner = draw(st.none() | _positive(identifiers, depth - 1)) if depth else None
    return Grouping(and_=tuple(all_of), or_=tuple(any_of), not_=tuple(not_), logical_grouping=inner)


@st.composite
def _contexts(draw: DrawFn, name: str, others: list[str], jobs: Sequence[ScheduledJob], depth: int) -> Context:
    """A context, with children of the names that are left. A job waits only for ones before it in ``jobs``: no loops."""
    resident = (
        draw(st.lists(st.sampled_from(jobs), min_size=min(2, len(jobs)), max_size=6, unique_by=lambda job: job.id))
        if jobs
        else []
    )
    inside = sorted(resident, key=jobs.index)
    dependencies: list[JobDependency] = []
    for index, job in enumerate(inside):
        before = [other.id for other in inside[:index]]
        grouping = draw(groupings(before) | st.none()) if before else None
        dependencies.append(JobDependency(job_identifier=job.id, logical_grouping=grouping))
    children: list[Context] = []
    while others and depth and draw(st.booleans()):
        children.append(draw(_contexts(others.pop(), others, jobs, depth - 1)))
    return Context(
        name=name,
        description=draw(texts),
        scheduled_jobs=tuple(draw(st.permutations(inside))),
        job_dependencies=tuple(dependencies),
        contexts=tuple(children),
        context_parameters=tuple(draw(st.lists(parameters(), max_size=2, unique_by=lambda p: p.name))),
        ordinal=draw(st.integers(-1, 9)),
    )


def _locks(context: Context, draw: DrawFn, artefacts: Sequence[Artefact]) -> tuple[JobLock, ...]:
    """At most one lock, with commands of the context as participants."""
    commands = {job.id for job in artefacts if isinstance(job, CommandJob)}
    members = [job for job in context.scheduled_jobs if job.id in commands]
    if not members or not draw(st.booleans()):
        return ()
    count = draw(st.integers(1, 3))
    participants = tuple(
        LockParticipant(agent_name=job.agent_name, job_name=job.job_name, lock_count=draw(st.integers(1, count)))
        for job in members
    )
    exclusive = draw(st.booleans())
    lock = JobLock(name=draw(names), lock_count=count, exclusive_job_lock=exclusive, jobs={context.name: participants})
    return (lock,)


@st.composite
def plan_sources(draw: DrawFn, *, most_jobs: int = 8) -> PlanSource:
    """A plan that keeps all the rules, with its artefacts."""
    job_names = draw(
        st.lists(names, min_size=draw(st.sampled_from([min(4, most_jobs), 0])), max_size=most_jobs, unique=True)
    )
    drawn = [draw(artefacts(draw(st.sampled_from(_KINDS)), name)) for name in job_names]
    entries = [ScheduledJob(agent_name=job.agent_name, job_name=job.job_name) for job in drawn]
    context_names = draw(st.lists(names, min_size=1, max_size=6, unique=True))
    top = draw(_contexts(context_names.pop(), context_names, entries, 2))
    jobs = tuple(job for job in drawn if not isinstance(job, ScheduledJob))
    plan = Plan(
        name=top.name,
        description=top.description,
        scheduled_jobs=top.scheduled_jobs,
        job_dependencies=top.job_dependencies,
        contexts=top.contexts,
        context_parameters=top.context_parameters,
        job_locks=_locks(top, draw, jobs),
        time_window_start=draw(st.sampled_from(["", *CRONS])),
        context_ttl_milliseconds=draw(st.integers(0, 10**11)),
        timezone=draw(st.sampled_from(ZONES)),
        environment_group=draw(st.sampled_from(["", "UAT"])),
        able_to_run_concurrently=draw(st.booleans()),
    )
    return PlanSource(plan=plan, jobs=jobs)
