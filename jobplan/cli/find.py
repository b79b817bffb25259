"""``jobplan search``: jobs and instances by name, status, agent and time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import click

from jobplan.cli.names import the_agent, the_status
from jobplan.cli.options import Verb, with_settings
from jobplan.cli.output import put_json, put_table
from jobplan.cli.plan_status import doubts
from jobplan.cli.session import with_client
from jobplan.cli.symbols import job_style, words
from jobplan.cli.times import moment
from jobplan.client import Client, Scope
from jobplan.client.live import day_and_clock, note
from jobplan.settings import Settings
from schemas.documents import InstanceStatus, JobState
from schemas.grants import fits


@click.command(
    cls=Verb,
    epilog="\b\nExample:\n  jobplan search 'Load*' --status ERROR\n  jobplan search --agent north --status running",
)
@click.argument("name", metavar="[PATTERN]", default="*")
@click.option("--status", metavar="STATUS", default="", help="Only what stands so: ERROR, RUNNING, ...")
@click.option("--agent", metavar="AGENT", default="", help="Only jobs of one agent.")
@click.option("--plan", "plan", metavar="PATTERN", default="*", help="Only in instances of these plans.")
@click.option("--since", metavar="TIME", help="Only what began at or after this time (ISO 8601).")
@click.option("--until", metavar="TIME", help="Only what began before this time.")
@with_settings
def search(  # noqa: PLR0913  # one an option
    settings: Settings, name: str, *, status: str, agent: str, plan: str, since: str | None, until: str | None
) -> None:
    """Find instances and jobs that run, wait, or ended not long ago.

    PATTERN is for names of jobs and ids of instances: * any letters, ? one letter.
    """
    wanted = _Wanted(name, the_status(status) if status else "", agent, plan, since, until)

    async def work(client: Client) -> tuple[list[InstanceStatus], list[JobState]]:
        await client.follow(Scope.INSTANCES, Scope.JOBS)
        doubts(client)
        if agent and not any(job.agent == agent for job in client.picture.all(JobState)):
            the_agent(agent, client.picture.agents)
        found = client.picture.instances
        plans = {one.instance: one.plan for one in found.values()}
        by_instance = client.picture.jobs_by_instance()
        jobs = (job for one in found for job in by_instance.get(one, ()))
        return (
            [one for one in found.values() if wanted.instance(one)],
            [job for job in jobs if wanted.job(job, plans[job.instance])],
        )

    instances, jobs = with_client(settings, work)
    if settings.json:
        put_json({"instances": instances, "jobs": jobs})
        return
    columns = ("WHAT", "INSTANCE", "CONTEXT", "JOB", "STATUS", "START", "AGENT", "NOTE")
    put_table(columns, [*_instances(instances), *_jobs(jobs)], empty="nothing like that is to be seen")


class _Wanted:
    """What is looked for."""

    def __init__(  # one an option
        self, name: str, status: str, agent: str, plan: str, since: str | None, until: str | None
    ) -> None:
        self._name, self._status, self._agent, self._plan = name, status, agent, plan
        self._since = None if since is None else moment(since)
        self._until = None if until is None else moment(until)

    def instance(self, one: InstanceStatus) -> bool:
        """Whether an instance is."""
        named = fits(self._name, one.instance) or fits(self._name, one.plan)
        stands = self._status in {"", one.status, one.result}
        return named and stands and not self._agent and fits(self._plan, one.plan) and self._began(one.opens)

    def job(self, one: JobState, plan: str) -> bool:
        """Whether a job is."""
        named = fits(self._name, one.name) or fits(self._name, one.job)
        stands = self._status in {"", one.status} and self._agent in {"", one.agent}
        return named and stands and fits(self._plan, plan) and self._began(one.started)

    def _began(self, at: datetime | None) -> bool:
        if self._since is None and self._until is None:
            return True
        if at is None:
            return False
        return (self._since is None or at >= self._since) and (self._until is None or at < self._until)


def _instances(found: list[InstanceStatus]) -> Iterator[tuple[str, ...]]:
    for one in found:
        result = f" ({one.result.value})" if one.result is not None and one.result != one.status else ""
        yield (
            "instance",
            one.instance,
            "",
            "",
            one.status.value + result,
            day_and_clock(one.opens),
            "",
            one.end_reason,
        )


def _jobs(found: list[JobState]) -> Iterator[tuple[str, ...]]:
    for one in found:
        status = f"[{job_style(one.status)}]{words(one.status)}[/]"
        said = note(one).replace("[", "\\[")
        yield ("job", one.instance, one.context, one.name, status, day_and_clock(one.started), one.agent, said)
