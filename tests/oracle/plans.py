"""Plans at random: contexts, residences, every kind of job, nested groupings, locks, gates, skips and holds. No cycles."""

from __future__ import annotations

from random import Random
from typing import Any

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
    Operator,
    Plan,
    PlanSource,
    Retry,
    ScheduledJob,
)

AGENT = "north"
_KINDS = {
    "": (AGENT, 66),
    "clock": (AGENT, 10),
    "file": (AGENT, 3),
    "local": ("LOCAL_EVENT_JOB", 6),
    "global": ("GLOBAL_EVENT", 4),
    "start": ("CONTEXT_START_JOB", 2),
    "terminal": ("CONTEXT_TERMINAL_JOB", 4),
    "bridging": ("BRIDGING_JOB", 5),
}


def dice(seed: int) -> Random:
    """The same throws for the same seed."""
    return Random(seed)  # noqa: S311  # nothing is kept secret with it


def random_plan(rng: Random, most: int = 60) -> PlanSource:
    """One plan. Jobs depend on those before them only, in every context, so nothing goes round in circles."""
    size = rng.randint(1, most)
    kinds = rng.choices(list(_KINDS), [weight for _, weight in _KINDS.values()], k=size)
    agents = [_KINDS[kind][0] for kind in kinds]
    ids = [f"{agent}-j{number}" for number, agent in enumerate(agents)]
    contexts = rng.randint(1, min(5, size))
    parents = [rng.randrange(at) for at in range(1, contexts)]
    homes = [sorted(rng.sample(range(contexts), k=min(contexts, rng.choice((1, 1, 1, 2, 2, 3))))) for _ in range(size)]
    gated = rng.random() < 0.4
    built: dict[int, Context] = {}
    for at in reversed(range(contexts)):
        inside = [number for number in range(size) if at in homes[number]]
        fields: dict[str, Any] = {
            "name": f"C{at}",
            "contexts": tuple(built[child] for child in range(at + 1, contexts) if parents[child - 1] == at),
            "scheduled_jobs": tuple(_scheduled(rng, agents[number], number, f"C{at}") for number in inside),
            "job_dependencies": _dependencies(rng, inside, kinds, ids),
            "context_dependencies": _gate(rng, at, parents, contexts) if gated else (),
        }
        built[at] = Plan(**fields, job_locks=_locks(rng, kinds)) if at == 0 else Context(**fields)
    outermost = built[0]
    assert isinstance(outermost, Plan)
    artefacts = [_artefact(rng, kind, number) for number, kind in enumerate(kinds)]
    return PlanSource(plan=outermost, jobs=tuple(job for job in artefacts if job is not None))


def _scheduled(rng: Random, agent: str, number: int, context: str) -> ScheduledJob:
    return ScheduledJob(
        agent_name=agent,
        job_name=f"j{number}",
        skipped_contexts={context: True} if rng.random() < 0.06 else {},
        held_contexts={context: True} if rng.random() < 0.06 else {},
    )


def _artefact(rng: Random, kind: str, number: int) -> Artefact | None:
    base: dict[str, Any] = {"agent_name": _KINDS[kind][0], "job_name": f"j{number}"}
    match kind:
        case "":
            again = rng.random() < 0.12
            return CommandJob(
                **base,
                command_line="true",
                job_repeatable=rng.random() < 0.3,
                target_residing_context_only=rng.random() < 0.25,
                retry=Retry(attempts=rng.randint(2, 3), back_off_seconds=30, back_off_factor=2) if again else None,
            )
        case "clock":
            return ClockJob(**base, cron_expression="0 0 5 * * ?")
        case "file":
            return FileJob(**base, cron_expression="0 * * * * ?", filenames=("/in/.*",))
        case "global":
            return GlobalJob(**base)
        case _:
            return None


def _dependencies(rng: Random, inside: list[int], kinds: list[str], ids: list[str]) -> tuple[JobDependency, ...]:
    found: list[JobDependency] = []
    for place, number in enumerate(inside):
        before = [ids[other] for other in inside[:place]]
        if kinds[number] in {"clock", "file"} or not before or rng.random() < 0.2:
            continue
        grouping = None if rng.random() < 0.04 else _grouping(rng, before[-6:] if rng.random() < 0.7 else before, 2)
        found += [JobDependency(job_identifier=ids[number], logical_grouping=grouping)] * (1 + (rng.random() < 0.04))
    if rng.random() < 0.2:
        rng.shuffle(found)
    return tuple(found)


def _grouping(rng: Random, names: list[str], depth: int) -> Grouping:
    def terms(most: int) -> tuple[Operator, ...]:
        return tuple(
            Operator(logical_grouping=_grouping(rng, names, depth - 1))
            if depth and rng.random() < 0.12
            else Operator(identifier=rng.choice(names))
            for _ in range(rng.randint(1, most))
        )

    shape = rng.random()
    return Grouping(
        and_=terms(3) if shape < 0.65 else (),
        or_=terms(3) if shape > 0.5 else (),
        not_=terms(2) if rng.random() < 0.12 else (),
        logical_grouping=_grouping(rng, names, depth - 1) if depth and rng.random() < 0.1 else None,
    )


def _gate(rng: Random, at: int, parents: list[int], contexts: int) -> tuple[ContextDependency, ...]:
    """What a context waits for: contexts before it that are not around it."""
    around = {at}
    outer = at
    while outer:
        outer = parents[outer - 1]
        around.add(outer)
    others = [f"C{other}" for other in range(1, min(at, contexts)) if other not in around]
    if not others or rng.random() < 0.4:
        return ()
    return (ContextDependency(context_identifier=f"C{at}", logical_grouping=_grouping(rng, others, 1)),)


def _locks(rng: Random, kinds: list[str]) -> tuple[JobLock, ...]:
    commands = [number for number, kind in enumerate(kinds) if kind == ""]
    if not commands or rng.random() < 0.4:
        return ()
    return tuple(
        JobLock(
            name=f"L{at}",
            lock_count=rng.randint(1, 3),
            exclusive_job_lock=rng.random() < 0.2,
            jobs={
                "C0": tuple(
                    LockParticipant(agent_name=AGENT, job_name=f"j{number}", lock_count=rng.choice((1, 1, 2, 4)))
                    for number in sorted(rng.sample(commands, k=min(len(commands), rng.randint(1, 8))))
                )
            },
        )
        for at in range(rng.randint(1, 3))
    )
