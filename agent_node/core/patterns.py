"""Where a file job looks, and for what: its patterns with the parameters of an instance filled in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from agent_node.core.effects import FolderPattern
from schemas.blackout import JobDefinitionError
from schemas.dates import evaluate, is_expression
from schemas.file_patterns import FilePatternError, expression, folder, split
from schemas.plan import FileJob


def folder_patterns(job: FileJob, parameters: Mapping[str, str], day: date) -> tuple[FolderPattern, ...]:
    """What to look for. Date expressions are read on ``day``, the one on which the instance opens.

    A name without a folder is looked for in ``filePath``, else in the agent's own folder. Raises JobDefinitionError.
    """
    if not job.filenames:
        raise JobDefinitionError("filenames is empty: nothing can match")

    def value(name: str) -> str:
        if name not in parameters and is_expression(name):
            return evaluate(name, day)
        if name not in parameters:
            raise JobDefinitionError(f"file pattern: the instance has no parameter '{name}'")
        return parameters[name]

    found: list[FolderPattern] = []
    for text in job.filenames:
        directory, name = split(text)
        try:
            wanted = expression(name, value)
        except FilePatternError as error:
            raise JobDefinitionError(
                f"file pattern '{text}': '{name}' is no regular expression ({error}); for any text write .*"
            ) from error
        found.append(FolderPattern(directory=folder(directory or job.file_path or ".", value), expression=wanted))
    return tuple(found)
