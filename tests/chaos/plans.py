"""What runs meanwhile: a plan whose window opens every few seconds, of commands that write their run's id and take a moment."""

from __future__ import annotations

from pathlib import Path

from schemas.plan import (
    Artefact,
    ClockJob,
    CommandJob,
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

NAME = "storm"
EVERY = 5
"""Seconds between two windows."""


def storm(runs: Path, *, window: int, calm: bool = False) -> PlanSource:
    """A clock starts it; then two branches over three agents, one of which fails at its first attempt; then one more job.

    ``window``: seconds it stays open at most; an instance ends as soon as it is complete. ``calm``: a later version, of which no
    window opens any more.
    """
    line = f'printf "%s\\n" "$JOBPLAN_RUN" >>{runs}; '
    clock = ClockJob(agent_name="north", job_name="tick", cron_expression="* * * * * ?", time_zone="UTC")
    first = _command("north", "first", line)
    left = _command("south", "left", line + "sleep 1.5")
    right = _command(
        "west",
        "right",
        line + 'test "$JOBPLAN_ATTEMPT" -gt 1 || exit 3',
        retry=Retry(attempts=5, back_off_seconds=1.0, return_codes=(3,)),
    )
    last = _command("north", "last", line + "sleep 0.3")
    jobs: tuple[Artefact, ...] = (clock, first, left, right, last)
    plan = Plan(
        name=NAME,
        time_window_start="" if calm else f"0/{EVERY} * * * * ?",
        timezone="UTC",
        context_ttl_milliseconds=window * 1000,
        able_to_run_concurrently=True,
        end_job_plan_upon_completion=True,
        scheduled_jobs=tuple(ScheduledJob(agent_name=job.agent_name, job_name=job.job_name) for job in jobs),
        job_dependencies=(
            JobDependency(job_identifier=clock.id),
            _after(first, clock.id),
            _after(left, first.id),
            _after(right, first.id),
            _after(last, left.id, right.id),
        ),
        job_locks=(
            JobLock(name="narrow", lock_count=2, jobs={NAME: (LockParticipant(agent_name="south", job_name="left"),)}),
        ),
    )
    return PlanSource(plan=plan, jobs=jobs)


def _command(agent: str, name: str, line: str, retry: Retry | None = None) -> CommandJob:
    return CommandJob(
        agent_name=agent, job_name=name, command_line=line, retry=retry, participates_in_lock=name == "left"
    )


def _after(job: CommandJob, *needed: str) -> JobDependency:
    grouping = Grouping(and_=tuple(Operator(identifier=name) for name in needed))
    return JobDependency(job_identifier=job.id, logical_grouping=grouping)
