"""``jobplan demo``: a plan run here and now."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import click

from broker.errors import BusError
from broker.server import find_mosquitto
from jobplan.cli.options import Verb, pairs, with_settings
from jobplan.demo.folder import make_folder
from jobplan.demo.run import DemoPlan, Wishes, run_demo
from jobplan.errors import BrokerError
from jobplan.settings import Settings
from schemas.plan import DASHBOARD_AGENTS

SAMPLE = Path(__file__).parent.parent / "sample"


@click.command(
    cls=Verb,
    epilog="\b\nExample:\n  jobplan demo\n  jobplan demo daily.zip --hands-free --exit --token agent.name=north",
)
@click.argument("bundle", type=click.Path(path_type=Path), required=False)
@click.option("--hands-free", is_flag=True, help="Submit clock and file jobs, as an operator would.")
@click.option("--exit", "leave", is_flag=True, help="Leave at the instance's end: 0 if COMPLETE, 1 if not.")
@click.option(
    "--token", "tokens", multiple=True, metavar="NAME=VALUE", help="Value for [[NAME]] in the bundle; repeat for more."
)
@click.option(
    "--retention",
    type=click.FloatRange(0),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the ended instance stays to be seen.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(1),
    default=900.0,
    show_default=True,
    metavar="SECONDS",
    help="With --exit: when to give up.",
)
@with_settings
def demo(  # noqa: PLR0913  # one an option
    settings: Settings,
    bundle: Path | None,
    tokens: tuple[str, ...],
    retention: float,
    timeout: float,
    *,
    hands_free: bool,
    leave: bool,
) -> None:
    """Run the plan in BUNDLE (or a sample) here and now, with a broker, a dashboard and its agents.

    Everything is in one temporary folder (or --data DIR), on a free loopback port, with random passwords. Ctrl-C ends it all.
    """
    from jobplan.cli.stages import stage_for

    plan = _plan(bundle, pairs(tokens, "--token"))
    wishes = Wishes(
        hands_free=hands_free,
        leave=leave,
        retention=retention,
        timeout=timedelta(seconds=timeout),
        log_level=settings.log_level,
    )
    try:
        find_mosquitto()
    except BusError as error:
        raise BrokerError(str(error)) from error
    folder = make_folder(settings.data, plan.agents)
    code = 1
    try:
        with stage_for(as_json=settings.json) as stage:
            stage.note(f"everything of this demo is in {folder.path}")
            code = asyncio.run(run_demo(plan, folder, wishes, stage))
    except KeyboardInterrupt:
        code = 130 if leave else 0
    except asyncio.CancelledError:  # told to end
        code = 143 if leave else 0
    finally:
        if code == 0:
            folder.remove()
        elif folder.temporary:
            click.echo(f"jobplan: logs and data are left in {folder.path}", err=True)
    sys.exit(code)


def _plan(bundle: Path | None, tokens: dict[str, str]) -> DemoPlan:
    from jobplan.cli.bundles import checked, warn

    read, faults = checked(bundle or SAMPLE, tokens)
    if bundle is not None:
        warn(faults)
    agents = sorted({job.agent_name for job in read.source.jobs} - set(DASHBOARD_AGENTS))
    return DemoPlan(source=read.source, bundle=read.raw, agents=tuple(agents), is_sample=bundle is None)
