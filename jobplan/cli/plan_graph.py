"""``jobplan plan graph``: a plan's jobs and dependencies as DOT or SVG."""

from __future__ import annotations

from pathlib import Path

import click

from jobplan.cli.names import the_plan
from jobplan.cli.options import Verb, with_settings
from jobplan.cli.output import put_json
from jobplan.cli.session import with_client
from jobplan.client import Client, Scope
from jobplan.errors import BadInputError
from jobplan.settings import Settings
from schemas.codec import decode
from schemas.plan import PlanSource
from schemas.queries import ReadVersion, Version


@click.command(
    cls=Verb,
    epilog="\b\nExample:\n  jobplan plan graph Daily -o daily.svg\n  jobplan plan graph daily.zip | dot -Tpng > daily.png",
)
@click.argument("what", metavar="PLAN|BUNDLE")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Its ending, .dot or .svg, decides."
)
@click.option("--svg", "as_svg", is_flag=True, help="SVG, laid out, instead of Graphviz DOT.")
@click.option(
    "--version", "number", type=click.IntRange(min=1), metavar="N", help="Of a plan: another version than the newest."
)
@with_settings
def graph(settings: Settings, what: str, output: Path | None, *, as_svg: bool, number: int | None) -> None:
    """Draw a plan of the dashboard, or a bundle: contexts, jobs, dependencies.

    What stands at a path is a bundle; anything else is a plan's name. Solid lines: all of; dashed: any of; dotted: none of.
    """
    from dashboard_node.core.graph import compile_plan  # the core loads slowly
    from jobplan.plan_graph import dot, svg

    compiled = compile_plan(_source(settings, what, number))
    text = svg(compiled) if as_svg or (output is not None and output.suffix == ".svg") else dot(compiled)
    if output is not None:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise BadInputError(f"{output}: cannot be written: {error.strerror}") from error
        put_json({"file": str(output)}) if settings.json else click.echo(f"wrote {output}")
    elif settings.json:
        put_json({"plan": compiled.plan.name, "graph": text})
    else:
        click.echo(text, nl=False)


def _source(settings: Settings, what: str, number: int | None) -> PlanSource:
    if number is None and Path(what).exists():
        from jobplan.bundle import load

        return load(Path(what)).source

    async def work(client: Client) -> Version:
        await client.follow(Scope.PLANS)
        plan = the_plan(what, client.picture.plans).plan
        return decode(bytes((await client.ask(ReadVersion(plan=plan, version=number or 0))).data), Version)

    found = with_client(settings, work).source
    if found is None:
        raise BadInputError(f"plan '{what}' came without its source")
    return found
