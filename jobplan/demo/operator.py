"""The demo's operator: does by requests what a person would do, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from jobplan.client import Client
from jobplan.client.feed import Link
from jobplan.client.logs import read_log
from jobplan.errors import JobplanError
from schemas.documents import JobState
from schemas.names import InstanceId
from schemas.requests import Act, Action
from schemas.status import JobStatus

Note = Callable[[str], None]

SAMPLE_FAILURE: Final = "SettleInvoices"
BEFORE_THE_FILE: Final = 4.0
BEFORE_MENDING: Final = 2.0


async def submit_what_waits(client: Client, instance: InstanceId, note: Note) -> None:
    """Submit each clock and file job that waits for the outside world, as soon as it shows."""
    feed = client.changes()
    submitted: set[str] = set()
    try:
        while True:
            for job in client.picture.jobs(instance):
                if job.kind.fires and job.status is JobStatus.WAITING and job.job not in submitted:
                    submitted.add(job.job)
                    await _submit(client, job, note)
            await feed.wait(1.0)
    finally:
        feed.close()


async def _submit(client: Client, job: JobState, note: Note) -> None:
    asked = Act(action=Action.SUBMIT, instance=job.instance, context=job.context, job=job.job)
    try:
        await client.ask(asked)
    except JobplanError as error:
        note(f"{job.kind.value} job {job.name} was not submitted: {error}")
    else:
        note(f"hands-free: submitted {job.kind.value} job {job.name}, as an operator would")


async def drop_the_file(inbox: Path, note: Note) -> None:
    """Let the sample's order file arrive."""
    await asyncio.sleep(BEFORE_THE_FILE)
    arriving = inbox / "arriving.tmp"
    arriving.write_text("number,article,pieces\n1,tea,3\n2,coffee,5\n3,sugar,1\n", "utf-8")
    arriving.rename(inbox / "order_17.csv")  # whole from its first moment
    note("a file arrives: order_17.csv in the inbox")


async def mend_the_failure(client: Client, instance: InstanceId, inbox: Path, note: Note) -> None:
    """Wait for the sample's job that fails; read why, mend the cause, resubmit it."""
    feed = client.changes()
    try:
        while (failed := _failed(client, instance)) is None:
            for news in await feed.wait(5.0):
                if isinstance(news, Link) and not news.up:
                    break
    finally:
        feed.close()
    note(f"{failed.name} has failed with code {failed.return_code}: an operator reads what it wrote ...")
    if failed.run is not None:
        async for part in read_log(client, failed.run, failed.agent, errors=True):
            note(f"  {failed.name}: {part.content.decode('utf-8', 'replace').strip()}")
    await asyncio.sleep(BEFORE_MENDING)
    (inbox / "approval.txt").write_text("approved\n", "utf-8")
    note("... mends the cause (puts approval.txt into the inbox), and resubmits it")
    await client.ask(Act(action=Action.RESUBMIT, instance=instance, context=failed.context, job=failed.job))


def _failed(client: Client, instance: InstanceId) -> JobState | None:
    jobs = client.picture.jobs(instance)
    return next((job for job in jobs if job.name == SAMPLE_FAILURE and job.status is JobStatus.ERROR), None)
