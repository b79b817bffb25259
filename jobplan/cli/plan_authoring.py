"""``jobplan plan``: build, schema: for those who write plans, with an editor or in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from jobplan.cli.options import Verb, pairs, with_settings
from jobplan.cli.output import counted, put_json
from jobplan.errors import BadInputError
from jobplan.settings import Settings

_KINDS: Final = ("plan", "clock", "file", "command", "global")


@click.command(cls=Verb, epilog="\b\nExample:\n  jobplan plan build nightly.py -o nightly.zip")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="ZIP", help="PLAN.zip without it.")
@click.option("--name", default="", metavar="NAME", help="Which plan, when the file binds several to names.")
@click.option("--token", "tokens", multiple=True, metavar="NAME=VALUE", help="Put [[NAME]] in the place of VALUE.")
@with_settings
def build(settings: Settings, file: Path, output: Path | None, name: str, tokens: tuple[str, ...]) -> None:
    """Run a Python file that makes a plan, and write the plan as a bundle.

    The file binds a PlanBuilder (schemas.building) to a name. What is written was checked as an import would check it.
    """
    from jobplan.cli.bundles import built, exported, warn  # the reader loads slowly
    from jobplan.plan_code import plan_of

    bundle, warnings = built(plan_of(file, name), file)
    warn(warnings)
    target = output or Path(f"{bundle.source.plan.name.replace('/', '_')}.zip")
    if target.exists() and target.samefile(file):
        raise BadInputError(f"{target}: the file itself; name another one with -o")
    used = exported(bundle, target, pairs(tokens, "--token"), suggest=False)
    if settings.json:
        put_json(
            {"file": str(target), "plan": bundle.source.plan.name, "jobs": len(bundle.source.jobs), "tokens": used}
        )
    else:
        click.echo(f"wrote {target}: plan {bundle.source.plan.name} with {counted(len(bundle.source.jobs), 'job')}")


@click.command(cls=Verb, epilog="\b\nExample:\n  jobplan plan schema > plan.schema.json\n  jobplan plan schema command")
@click.argument("kind", type=click.Choice(_KINDS), default="plan")
@with_settings
def schema(_settings: Settings, kind: str) -> None:
    """Print the JSON Schema of plan files, or of a bundle's job files: editors complete and check with it."""
    from jobplan.describing import Kind, plan_schema  # loads the source of the schemas

    put_json(plan_schema(Kind(kind)))


AUTHORING: Final[tuple[click.Command, ...]] = (build, schema)
"""The commands, in the order of the help."""
