"""Bundles as commands take them: read with tokens, checked, their faults said."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
from msgspec.structs import replace

from dashboard_node.core import plan_rules
from jobplan.bundle import Bundle, BundleError, describe_faults, export, load, suggested_tokens
from jobplan.cli.output import counted, put_json
from jobplan.clock import now
from jobplan.errors import BadInputError
from schemas.plan import PlanSource
from schemas.queries import Version
from schemas.requests import Fault


def checked(file: Path, tokens: dict[str, str], *, refuse_secrets: bool = False) -> tuple[Bundle, tuple[Fault, ...]]:
    """The bundle of a file and its warnings. Raises BundleError with everything that is wrong with it."""
    return _judged(load(file, tokens), refuse_secrets=refuse_secrets)


def built(source: PlanSource, file: Path) -> tuple[Bundle, tuple[Fault, ...]]:
    """The bundle of a plan that was made in a Python file. Raises BundleError with everything that is wrong with it."""
    try:
        return _judged(Bundle.from_source(source), refuse_secrets=False)
    except BundleError as error:
        raise BundleError([replace(fault, path=f"{file}: {fault.path}") for fault in error.faults]) from error


def _judged(bundle: Bundle, *, refuse_secrets: bool) -> tuple[Bundle, tuple[Fault, ...]]:
    found = plan_rules.faults(bundle.source, refuse_secrets=refuse_secrets)
    faults = (*bundle.located(found), *bundle.ignored)
    if any(not fault.warning for fault in faults):
        raise BundleError(faults)
    return bundle, faults


def warn(faults: Iterable[Fault]) -> None:
    """Say warnings on standard error."""
    for line in describe_faults(faults):
        click.echo(line, err=True)


def put_validation(file: Path, tokens: dict[str, str], *, as_json: bool, refuse_secrets: bool = False) -> bool:
    """Say what is wrong with a bundle, or that nothing is; whether it could be imported."""
    try:
        bundle, faults = checked(file, tokens, refuse_secrets=refuse_secrets)
    except BundleError as error:
        if as_json:
            put_json({"file": str(file), "valid": False, "faults": error.faults})
        else:
            warn(error.faults)
        return False
    plan, jobs = bundle.source.plan, bundle.source.jobs
    if as_json:
        put_json({"file": str(file), "valid": True, "plan": plan.name, "jobs": len(jobs), "faults": faults})
        return True
    warn(faults)
    warnings = f", {counted(len(faults), 'warning')}" if faults else ""
    click.echo(f"{file}: plan {plan.name} with {counted(len(jobs), 'job')} can be imported{warnings}")
    return True


def from_version(version: Version) -> Bundle:
    """The bundle a plan version was imported from, or one made of the plan if it never was one. Raises BundleError."""
    if version.source is not None:
        return Bundle.from_source(version.source)
    return Bundle.from_raw(bytes(version.bundle))


def exported(bundle: Bundle, to: Path, tokens: dict[str, str], *, suggest: bool) -> dict[str, str]:
    """Write a bundle as a zip; the tokens that were put into it."""
    used = (suggested_tokens(bundle.documents) if suggest else {}) | tokens
    try:
        export(bundle, to, millis=round(now().timestamp() * 1000), tokens=used)
    except OSError as error:
        raise BadInputError(f"{to}: cannot be written: {error.strerror}") from error
    return used
