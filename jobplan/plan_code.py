"""Plans written in Python: runs a person's file and takes the plan out of it."""

from __future__ import annotations

import runpy
import traceback
from pathlib import Path

from jobplan.errors import BadInputError
from schemas.building import PlanBuilder
from schemas.plan import PlanSource


def plan_of(file: Path, name: str = "") -> PlanSource:
    """The plan that a Python file binds to a name: a PlanBuilder, or a PlanSource; ``name`` when it binds several.

    The file is run as a program of the person's own. Raises BadInputError.
    """
    if not file.is_file():
        raise BadInputError(f"{file}: no such file; name a Python file that makes a plan")
    try:
        bound = runpy.run_path(str(file))
    except SystemExit as error:
        raise BadInputError(f"{file}: it ended by itself (exit {error.code}) before its plan was taken") from error
    except Exception as error:
        raise BadInputError(_told(file, error)) from error
    plans = {key: value for key, value in bound.items() if isinstance(value, PlanBuilder | PlanSource)}
    if name:
        plans = {key: value for key, value in plans.items() if key == name}
    distinct = {id(value): value for value in plans.values()}
    if len(distinct) == 1:
        (only,) = distinct.values()
        return only.build() if isinstance(only, PlanBuilder) else only
    if not distinct:
        wanted = f"'{name}' is not bound to a plan" if name else "no plan in it"
        raise BadInputError(f"{file}: {wanted}; bind a PlanBuilder of schemas.building to a name")
    raise BadInputError(f"{file}: several plans ({', '.join(sorted(plans))}); say which with --name")


def _told(file: Path, error: Exception) -> str:
    """The line of the person's file where it went wrong, and what."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return f"{file}: line {error.lineno}: {error.msg}"
    inside = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    line = f"line {inside[-1]}: " if inside else ""
    return f"{file}: {line}{type(error).__name__}: {error}"
