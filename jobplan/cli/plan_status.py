"""How a plan's status reads in a table, and what a reader has to doubt."""

from __future__ import annotations

from jobplan.cli.output import say
from jobplan.client import Client
from jobplan.client.live import day_and_clock, doubt
from schemas.documents import PlanStatus


def schedule_of(one: PlanStatus) -> str:
    """When its windows open, with the zone."""
    return f"{one.schedule} {one.zone}".strip() if one.schedule else ""


def last_of(one: PlanStatus) -> str:
    """How its newest ended instance stood, and when it ended."""
    last = one.last_outcome
    return "" if last is None else f"{last.status.value} {day_and_clock(last.ended)}"


def doubts(client: Client) -> None:
    """Say on standard error when what is read may be old."""
    reason = doubt(client.picture, client.link.reason)
    if reason:
        say(f"jobplan: {reason}")
