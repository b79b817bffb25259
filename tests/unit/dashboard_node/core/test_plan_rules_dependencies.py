"""The rules of what waits for what: groupings that cannot hold, loops in a context, across contexts and among them."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from dashboard_node.core.plan_rules import faults
from dashboard_node.core.plan_rules.loops import loops, round_trip
from schemas.plan import (
    Artefact,
    CommandJob,
    Context,
    ContextDependency,
    FileJob,
    GlobalJob,
    Grouping,
    JobDependency,
    Operator,
    Plan,
    PlanSource,
    ScheduledJob,
)
from schemas.requests import Fault

CRON = "0 0 1 ? * *"
GLOBAL = "GLOBAL_EVENT-g"


def ops(*names: str | Grouping) -> tuple[Operator, ...]:
    """Operators: job identifiers or nested groupings."""
    return tuple(Operator(identifier=n) if isinstance(n, str) else Operator(logical_grouping=n) for n in names)


def every(*names: str | Grouping) -> Grouping:
    """All of these."""
    return Grouping(and_=ops(*names))


def some(*names: str | Grouping) -> Grouping:
    """Any of these."""
    return Grouping(or_=ops(*names))


def a_context(name: str, **jobs: Grouping | None) -> Context:
    """A context of jobs by name, each with what it waits for: `f` is a file job, `g` a global event, `s`, `t` start and end."""
    return Context(
        name=name,
        scheduled_jobs=tuple(_entry(job) for job in jobs),
        job_dependencies=tuple(
            JobDependency(job_identifier=_entry(job).id, logical_grouping=grouping) for job, grouping in jobs.items()
        ),
    )


def _entry(name: str) -> ScheduledJob:
    agents = {"g": "GLOBAL_EVENT", "s": "CONTEXT_START_JOB", "t": "CONTEXT_TERMINAL_JOB"}
    return ScheduledJob(agent_name=agents.get(name[0], "a"), job_name=name)


def a_plan(*contexts: Context, local: tuple[str, ...] = ()) -> PlanSource:
    """A plan of these contexts, with the artefacts of their jobs; `local` ones run for each context apart."""
    plan = Plan(name="P", time_window_start=CRON, context_ttl_milliseconds=1, contexts=contexts)
    entries = {job.id: job for context in contexts for job in context.scheduled_jobs}
    return PlanSource(plan=plan, jobs=tuple(a for job in entries.values() for a in _artefacts(job, local)))


def _artefacts(job: ScheduledJob, local: tuple[str, ...]) -> list[Artefact]:
    agent, name = job.agent_name, job.job_name
    match name[0]:
        case "f":
            return [FileJob(agent_name=agent, job_name=name, cron_expression=CRON, filenames=("x",))]
        case "g":
            return [GlobalJob(agent_name=agent, job_name=name)]
        case "s" | "t":
            return []
        case _:
            only = name in local
            return [CommandJob(agent_name=agent, job_name=name, command_line="x", target_residing_context_only=only)]


def errors(source: PlanSource) -> list[Fault]:
    """What the plan is refused for."""
    return [fault for fault in faults(source) if not fault.warning]


def warnings(source: PlanSource) -> list[Fault]:
    """What works, perhaps not as meant; but for jobs that people start."""
    return [f for f in faults(source) if f.warning and not f.message.startswith("nothing starts the")]


def paths(found: list[Fault]) -> list[str]:
    """Where."""
    return [fault.path for fault in found]


ENTRY = "$.contexts[0].jobDependencies"


def test_scenario_30_a_grouping_that_names_no_job_of_the_context_is_refused() -> None:
    """However deep it stands; a job of another context is none of this one."""
    deep = Grouping(and_=ops("a-f", "a-z"), or_=ops(every("a-f", "a-y")), logical_grouping=Grouping(not_=ops("a-b")))
    source = a_plan(a_context("C", f=None, c=deep), a_context("D", b=None))
    grouping = f"{ENTRY}[1].logicalGrouping"
    assert paths(errors(source)) == [
        f"{grouping}.and[1].identifier",
        f"{grouping}.or[0].logicalGrouping.and[1].identifier",
        f"{grouping}.logicalGrouping.not[0].identifier",
    ]
    assert "it resides in 'D'" in errors(source)[2].message


def test_scenario_40_a_job_that_waits_for_itself_is_refused() -> None:
    """Also in `not`, and once only."""
    for grouping in (every("a-f", "a-c"), Grouping(and_=ops("a-f"), not_=ops("a-c"))):
        (fault,) = errors(a_plan(a_context("C", f=None, c=grouping)))
        assert "'a-c' waits for itself" in fault.message


def test_scenario_222_jobs_that_wait_for_each_other_are_refused() -> None:
    """Told once for each loop, at the first of its entries, with the way round."""
    source = a_plan(a_context("C", f=None, b=every("a-f", "a-d"), c=some("a-b"), d=every("a-c"), e=every("a-d")))
    (fault,) = errors(source)
    assert fault.path == f"{ENTRY}[1]"
    assert "'a-b' waits for 'a-d' waits for 'a-c' waits for 'a-b'" in fault.message


def test_jobs_that_exclude_each_other_are_no_loop() -> None:
    """Whichever comes first: a plan that works."""
    source = a_plan(
        a_context(
            "C", f=None, b=Grouping(and_=ops("a-f"), not_=ops("a-c")), c=Grouping(and_=ops("a-f"), not_=ops("a-b"))
        )
    )
    assert errors(source) == warnings(source) == []


def test_scenario_222_a_loop_through_several_contexts_is_refused() -> None:
    """A result counts wherever the job resides, so each context alone looks fine."""
    source = a_plan(a_context("C", b=every("a-c"), c=None), a_context("D", b=None, c=every("a-b")))
    (fault,) = errors(source)
    assert fault.path == f"{ENTRY}[0]"
    assert "through several contexts, so they never start" in fault.message


def test_a_loop_that_another_context_enters_is_told() -> None:
    """It works: the job is started there. But one of the dependencies says nothing."""
    source = a_plan(
        a_context("C", b=every("a-c"), c=None),
        a_context("D", b=None, c=every("a-b")),
        a_context("E", f=None, b=every("a-f")),
    )
    assert errors(source) == []
    assert paths(warnings(source)) == [f"{ENTRY}[0]"]


def test_jobs_of_their_own_context_only_make_no_loop_across() -> None:
    """Each copy is a run of its own."""
    source = a_plan(
        a_context("C", f=None, b=every("a-c"), c=every("a-f")),
        a_context("D", f=None, b=every("a-f"), c=every("a-b")),
        local=("b", "c"),
    )
    assert errors(source) == warnings(source) == []


def test_scenario_222_a_loop_of_start_and_terminal_jobs_is_refused() -> None:
    """The usual way to sequence contexts, led in a circle."""
    start, end = "CONTEXT_START_JOB-s", "CONTEXT_TERMINAL_JOB-t"
    source = a_plan(
        a_context("C", s1=every(f"{end}2"), b=every(f"{start}1"), t1=every("a-b"), t2=None),
        a_context("D", s2=every(f"{end}1"), c=every(f"{start}2"), t2=every("a-c"), t1=None),
    )
    (fault,) = errors(source)
    assert "'CONTEXT_TERMINAL_JOB-t1'" in fault.message
    straight = a_plan(
        a_context("C", s1=None, b=every(f"{start}1"), t1=every("a-b")),
        a_context("D", s2=every(f"{end}1"), c=every(f"{start}2"), t2=every("a-c"), t1=None),
    )
    assert errors(straight) == []


def test_a_global_event_that_raises_itself_is_refused() -> None:
    """Even where something else raises it first."""
    source = a_plan(a_context("C", f=None, g=some("a-f", "a-c"), c=None), a_context("D", g=None, c=every(GLOBAL)))
    (fault,) = errors(source)
    assert "a global event raises itself" in fault.message


def test_groupings_that_say_nothing_are_told() -> None:
    """Empty ones are passed over (there Ikasan would wait for ever)."""
    source = a_plan(
        a_context("C", f=None, b=Grouping(), c=every("a-f", Grouping()), d=Grouping(logical_grouping=every("a-f")))
    )
    assert errors(source) == []
    assert paths(warnings(source)) == [
        f"{ENTRY}[1].logicalGrouping",
        f"{ENTRY}[2].logicalGrouping.and[1].logicalGrouping",
    ]


def test_scenario_21_a_dependency_of_nots_alone_is_told() -> None:
    """No event ever triggers it."""
    source = a_plan(a_context("C", f=None, b=Grouping(not_=ops("a-f"))))
    assert errors(source) == []
    assert paths(warnings(source)) == [f"{ENTRY}[1].logicalGrouping"]


def test_operators_stand_for_one_thing() -> None:
    """A job or a grouping."""
    both = Operator(identifier="a-f", logical_grouping=every("a-f"))
    source = a_plan(a_context("C", f=None, b=Grouping(and_=(both, Operator()))))
    assert paths(errors(source)) == [f"{ENTRY}[1].logicalGrouping.and[{index}]" for index in (0, 1)]


@pytest.mark.parametrize(
    ("grouping", "holds"),
    [
        (Grouping(and_=ops("a-f", "a-c"), not_=ops("a-c")), False),
        (Grouping(and_=ops("a-c"), or_=ops("a-f"), not_=ops("a-c")), True),
        (Grouping(or_=ops("a-c"), not_=ops("a-c")), False),
        (Grouping(and_=ops(every("a-f", "a-c")), not_=ops("a-c")), False),
        (Grouping(and_=ops("a-f"), not_=ops("a-c"), logical_grouping=every("a-c")), False),
        (Grouping(and_=ops("a-c"), logical_grouping=Grouping(and_=ops("a-f"), not_=ops("a-c"))), False),
        (Grouping(or_=ops(Grouping(and_=ops("a-f"), not_=ops("a-c")), "a-c")), True),
        (Grouping(and_=ops("a-f"), not_=ops(every("a-f", "a-c"))), True),
    ],
)
def test_a_dependency_that_can_never_hold_is_refused(grouping: Grouping, holds: bool) -> None:  # noqa: FBT001 - a column of the table
    """What must be done and must not be done at once."""
    found = errors(a_plan(a_context("C", f=None, c=every("a-f"), b=grouping)))
    assert paths(found) == ([] if holds else [f"{ENTRY}[2].logicalGrouping"])


def test_what_is_said_twice_is_told() -> None:
    """Equal entries count once, different ones must both hold, a job twice in a list is once."""
    context = a_context("C", f=None, h=every("a-f"), b=every("a-f", "a-f"))
    entries = context.job_dependencies
    more = (*entries, entries[1], JobDependency(job_identifier="a-h", logical_grouping=some("a-f")))
    context = Context(name="C", scheduled_jobs=context.scheduled_jobs, job_dependencies=more)
    source = a_plan(context)
    assert errors(source) == []
    assert [fault.message.split(":")[0] for fault in warnings(source)] == [
        "'a-f' stands twice in this list; leave one out",
        "the same as jobDependencies[1]",
        "a second entry for 'a-h' beside jobDependencies[1]",
    ]


def test_a_job_that_nothing_starts_is_told() -> None:
    """Unless another context does, or it happens by itself. What has no use for a grouping is told too."""
    source = a_plan(a_context("C", f=None, b=None, c=None, g=None), a_context("D", f=None, c=every("a-f")))
    assert paths(list(faults(source))) == ["$.contexts[0].scheduledJobs[1]"]
    apart = a_plan(a_context("C", c=None), a_context("D", f=None, c=every("a-f")), local=("c",))
    assert paths(list(faults(apart))) == ["$.contexts[0].scheduledJobs[0]"]
    grouped = a_plan(a_context("C", b=every("a-f"), f=None, f2=every("a-f")))
    assert paths(warnings(grouped)) == [f"{ENTRY}[2].logicalGrouping"]


def test_what_only_a_person_starts_is_listed_in_the_order_of_the_plan() -> None:
    """From the first job to the last, in each context; a job that is listed twice where it stands first."""
    source = a_plan(a_context("C", c=None, b=None, a=None), a_context("D", b2=None, a=None, a2=None))
    assert paths(list(faults(source))) == [
        *(f"$.contexts[0].scheduledJobs[{index}]" for index in (0, 1, 2)),
        *(f"$.contexts[1].scheduledJobs[{index}]" for index in (0, 2)),
    ]


def waits(context: Context, identifier: str, *names: str) -> Context:
    """The context with a context dependency."""
    grouping = every(*names) if names else None
    entry = ContextDependency(context_identifier=identifier, logical_grouping=grouping)
    dependencies = (*context.context_dependencies, entry)
    return Context(name=context.name, contexts=context.contexts, context_dependencies=dependencies)


def test_context_dependencies_name_contexts() -> None:
    """Both ways to write them."""
    source = a_plan(
        waits(Context(name="C"), "D"), waits(Context(name="D"), "D", "E"), waits(Context(name="F"), "G", "D")
    )
    assert paths(errors(source)) == [
        "$.contexts[1].contextDependencies[0].logicalGrouping.and[0].identifier",
        "$.contexts[2].contextDependencies[0].contextIdentifier",
    ]


def test_contexts_that_wait_for_each_other_are_refused() -> None:
    """Directly, through what they hold, or for what they are in."""
    circle = a_plan(waits(Context(name="C"), "D"), waits(Context(name="D"), "D", "C"))
    (fault,) = errors(circle)
    assert "'C' waits for 'D' waits for 'C'" in fault.message
    nested = a_plan(waits(Context(name="C"), "D"), Context(name="D", contexts=(waits(Context(name="E"), "C"),)))
    assert len(errors(nested)) == 1
    inner = waits(Context(name="E"), "D")
    (fault,) = errors(a_plan(Context(name="D", contexts=(inner,))))
    assert "'E' would wait for 'D', which holds it" in fault.message
    outer = waits(Context(name="D", contexts=(Context(name="E", contexts=(Context(name="F"),)),)), "F")
    assert len(errors(a_plan(outer))) == 1
    assert errors(a_plan(waits(Context(name="C"), "D"), Context(name="D"))) == []


def test_loops_of_a_graph() -> None:
    """Each once, in the order of the graph; a node may be its own."""
    edges = {1: [2], 2: [3, 4], 3: [1], 4: [5], 5: [5], 6: [4, 7], 7: [8]}
    assert loops(edges) == [[1, 2, 3], [5]]
    assert round_trip(1, [1, 2, 3], edges) == [1, 2, 3, 1]
    assert round_trip(5, [5], edges) == [5, 5]


@pytest.mark.parametrize("shape", ["chain", "circle", "dangling", "fan"])
def test_ten_thousand_jobs_are_checked_in_two_seconds(shape: str) -> None:
    """Whether the plan is good, or wrong everywhere."""
    count = 10_000
    shapes: dict[str, Callable[[int], list[str]]] = {
        "chain": lambda n: [f"a-j{n - 1}"] if n else [],
        "circle": lambda n: [f"a-j{(n + 1) % count}"],
        "dangling": lambda n: [f"a-z{n}"],
        "fan": lambda n: [f"a-j{k}" for k in range(0, count - 1, 7)] if n == count - 1 else [],
    }
    waited = [shapes[shape](number) for number in range(count)]
    jobs = {f"j{number}": every(*names) if names else None for number, names in enumerate(waited)}
    source = a_plan(a_context("C", **jobs))
    began = time.process_time()
    found = faults(source)
    assert time.process_time() - began < 2
    assert bool([fault for fault in found if not fault.warning]) == (shape in {"circle", "dangling"})
