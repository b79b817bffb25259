"""What an event costs, counted: it follows what depends on its job, not the size of the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from dashboard_node.core.context_machine import ContextMachine
from jobplan.simulate.script import Line, Play
from schemas.plan import CommandJob, Grouping, JobDependency, Operator, Plan, PlanSource, ScheduledJob

COUNTED = ("share_of", "holds", "put", "fulfilled")


def _source(size: int, dependencies: dict[int, list[int]]) -> PlanSource:
    names = [f"j{number}" for number in range(size)]
    return PlanSource(
        plan=Plan(
            name="P",
            scheduled_jobs=tuple(ScheduledJob(agent_name="a", job_name=name) for name in names),
            job_dependencies=tuple(
                JobDependency(
                    job_identifier=f"a-j{number}",
                    logical_grouping=Grouping(and_=tuple(Operator(identifier=f"a-j{other}") for other in before)),
                )
                for number, before in dependencies.items()
            ),
        ),
        jobs=tuple(CommandJob(agent_name="a", job_name=name, command_line="true") for name in names),
    )


def _cost(source: PlanSource, before: list[Line], line: Line) -> Counter[str]:
    """How often the machine looks at jobs, and how many documents are made, when the line is played."""
    counted: Counter[str] = Counter()
    play = Play(source)
    list(play.play(enumerate(before)))
    with pytest.MonkeyPatch.context() as patch:
        for name in COUNTED:
            patch.setattr(ContextMachine, name, _counting(counted, name))
        play.world._told = lambda core, changes: counted.update(documents=len(core.project(changes)))
        copies = play.copies(line)
        if line.do == "ended":
            play.world.end(copies, 0)
        else:
            play.world.start(copies)
    return counted


def _counting(counted: Counter[str], name: str) -> Callable[..., object]:
    method = getattr(ContextMachine, name)

    def count(*arguments: object, **named: object) -> object:
        counted[name] += 1
        return method(*arguments, **named)

    return count


@pytest.mark.parametrize("line", ["started", "ended"])
def test_a_chain(line: str) -> None:
    """A job in the middle of ten thousand costs what one in the middle of ten costs."""
    costs = [
        _cost(
            _source(size, {number: [number - 1] for number in range(1, size)}),
            [Line(do="submit", job=f"j{size // 2}")],
            Line(do=line, job=f"j{size // 2}"),
        )
        for size in (10, 10_000)
    ]

    assert costs[0] == costs[1]
    assert sum(costs[1].values()) < 100


def test_one_after_all_others() -> None:
    """A job that waits for ten thousand is counted down, not looked through."""
    costs = [
        _cost(
            _source(size + 1, {size: list(range(size))}),
            [Line(do="submit", job="j7")],
            Line(do="ended", job="j7"),
        )
        for size in (10, 10_000)
    ]

    assert costs[0]["share_of"] == costs[1]["share_of"]
    assert sum(costs[1].values()) < 100


def test_all_others_after_one() -> None:
    """Ten thousand that follow one are looked at a few times each."""
    size = 10_000
    cost = _cost(
        _source(size + 1, {number: [0] for number in range(1, size + 1)}),
        [Line(do="submit", job="j0")],
        Line(do="ended", job="j0"),
    )

    assert cost["holds"] == size
    assert cost["share_of"] <= 5 * size
