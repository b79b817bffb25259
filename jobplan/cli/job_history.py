"""``jobplan job history``: the runs of a job, over all instances of its plan."""

from __future__ import annotations

from datetime import timedelta

import click

from jobplan.cli.names import the_instance, the_plan
from jobplan.cli.options import Verb, with_settings
from jobplan.cli.output import put_json, put_table, say
from jobplan.cli.session import with_client
from jobplan.client import Client, Scope
from jobplan.client.live import day_and_clock, span
from jobplan.settings import Settings
from schemas.codec import decode
from schemas.estimates import JobHistory, PastRun, ReadJobHistory
from schemas.names import PlanName
from schemas.status import Outcome

_GOOD = frozenset({Outcome.SUCCEEDED, Outcome.NOT_TODAY})


@click.command(cls=Verb, epilog="\b\nExample:\n  jobplan job history Daily Load")
@click.argument("place", metavar="INSTANCE|PLAN")
@click.argument("name", metavar="JOB")
@with_settings
def history(settings: Settings, place: str, name: str) -> None:
    """List past runs of a job: when, how long, how they ended.

    The newest 20 are kept, whatever instances of the plan they were of. Of a clock or file job it is when it first fired.
    """

    async def work(client: Client) -> JobHistory:
        await client.follow(Scope.PLANS, Scope.INSTANCES)
        answer = await client.ask(ReadJobHistory(plan=_plan(client, place), job=name))
        return decode(bytes(answer.data), JobHistory)

    found = with_client(settings, work)
    if settings.json:
        put_json(found)
        return
    columns = ("STARTED", "TOOK", "OUTCOME", "CODE", "TRY", "AGENT", "INSTANCE")
    put_table(columns, [_row(run) for run in found.runs], empty=f"'{name}' of plan '{found.plan}' has not run yet")
    if found.median_seconds is not None and found.p90_seconds is not None:
        usual, late = (span(timedelta(seconds=seconds)) for seconds in (found.median_seconds, found.p90_seconds))
        say(f"median {usual}, nine of ten within {late}")


def _plan(client: Client, text: str) -> PlanName:
    """The plan meant, by its name or by an instance."""
    plans, instances = client.picture.plans, client.picture.instances
    if text not in plans and any(one.startswith(text) for one in instances):
        return the_instance(text, instances).plan
    return the_plan(text, plans).plan


def _row(run: PastRun) -> tuple[str, ...]:
    style = "green" if run.outcome in _GOOD else "red"
    took, code = span(timedelta(seconds=run.seconds)), "" if run.return_code is None else str(run.return_code)
    started, tries = day_and_clock(run.started), str(run.attempt or "")
    outcome = f"[{style}]{run.outcome}[/]" if run.attempt else "fired after that"
    return (started, took, outcome, code, tries, run.agent.replace("[", "\\["), run.instance.replace("[", "\\["))
