"""``jobplan backup`` and ``jobplan restore``: copies of the dashboard's database, on the host where it is."""

from __future__ import annotations

from pathlib import Path

import click

from jobplan.cli.options import Verb, confirm, with_settings
from jobplan.cli.output import put_json
from jobplan.errors import BadInputError
from jobplan.settings import Settings


def _database(settings: Settings) -> Path:
    from jobplan.cli.serve import dashboard_data

    return dashboard_data(settings) / "dashboard.db"


@click.command(cls=Verb, epilog="\b\nExample:\n  jobplan backup /backups/dashboard-monday.db --data /var/lib/jobplan")
@click.argument("to", type=click.Path(path_type=Path), metavar="FILE")
@with_settings
def backup(settings: Settings, to: Path) -> None:
    """Copy the dashboard's database to FILE, while the dashboard runs or not: plans, instances, calendars, grants, audit.

    FILE is whole and checked when it is there. Agents need no copy: what their runs did stands in the runs' folders.
    """
    from broker.runtime.backup import back_up
    from broker.runtime.store import StoreError

    try:
        copied = back_up(_database(settings), to)
    except StoreError as error:
        raise BadInputError(str(error)) from error
    if settings.json:
        put_json({"file": str(to), "copied": copied})
    else:
        click.echo(f"wrote {to}: {copied.records} records, {copied.audit_rows} audit rows, {copied.size / 1e6:.1f} MB")


@click.command(cls=Verb, epilog="\b\nExample:\n  jobplan restore /backups/dashboard-monday.db --data /var/lib/jobplan")
@click.argument("copy", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@with_settings
def restore(settings: Settings, copy: Path, *, yes: bool) -> None:
    """Let a copy be the database of a dashboard that does not run; what stood there is kept beside it.

    The dashboard then goes on from the copy. Nothing that an agent has run is run again: its result is found, or, of what was
    running when the copy was made, the job is ERROR with the reason lost. What people have done since is gone.
    """
    from broker.runtime.backup import look_at, put_back
    from broker.runtime.store import StoreError

    database = _database(settings)
    try:
        found = look_at(copy)
        confirm(f"Let {copy} ({found.records} records) be {database}?", yes=yes)
        found, kept = put_back(copy, database)
    except StoreError as error:
        raise BadInputError(str(error)) from error
    if settings.json:
        put_json({"file": str(database), "kept": None if kept is None else str(kept), "copied": found})
        return
    click.echo(f"restored {database}: {found.records} records, {found.audit_rows} audit rows")
    if kept is not None:
        click.echo(f"what stood there is now {kept}")
