r"""File patterns: ``directory/regular expression`` with parameters of the instance, made readable for Python.

The text up to the last slash is a literal folder; the rest must match a whole file name. Ikasan's patterns are Java's:
named groups ``(?<name>`` and quotations ``\Q...\E`` are translated, the rest of what people use is the same in both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from agent_node.core.effects import FolderPattern
from schemas.blackout import JobDefinitionError
from schemas.plan import FileJob

_PARAMETER: Final = re.compile(r"\$\{([^}]*)\}")
_JAVA_GROUP: Final = re.compile(r"\(\?<(?=[A-Za-z])")
_JAVA_QUOTE: Final = re.compile(r"\\Q(.*?)(?:\\E|\Z)", re.DOTALL)


def folder_patterns(job: FileJob, parameters: Mapping[str, str]) -> tuple[FolderPattern, ...]:
    """Where a file job looks, and for what. Raises JobDefinitionError."""
    if not job.filenames:
        raise JobDefinitionError("filenames is empty: nothing can match")
    return tuple(_pattern(job, text, parameters) for text in job.filenames)


def _pattern(job: FileJob, text: str, parameters: Mapping[str, str]) -> FolderPattern:
    """One pattern. A name without a folder is looked for in ``filePath``, else in the agent's own folder."""
    directory, slash, name = text.rpartition("/")
    if not slash:
        directory = job.file_path or "."
    expression = _JAVA_GROUP.sub("(?P<", _JAVA_QUOTE.sub(_quoted, _filled(name, parameters, regex=True)))
    try:
        re.compile(expression)
    except re.error as error:
        raise JobDefinitionError(
            f"file pattern '{text}': '{name}' is no regular expression ({error}); for any text write .*"
        ) from error
    return FolderPattern(directory=_filled(directory, parameters, regex=False) or "/", expression=expression)


def _quoted(match: re.Match[str]) -> str:
    return re.escape(match[1])


def _filled(text: str, parameters: Mapping[str, str], *, regex: bool) -> str:
    """``${name}`` replaced by the instance's parameter, taken literally. Raises JobDefinitionError for an unknown one."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in parameters:
            raise JobDefinitionError(f"file pattern: the instance has no parameter '{match[1]}'")
        return re.escape(parameters[match[1]]) if regex else parameters[match[1]]

    return _PARAMETER.sub(value, text)
