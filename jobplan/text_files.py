"""The text of a file that a person names."""

from __future__ import annotations

from pathlib import Path

from jobplan.errors import BadInputError


def text_of(file: Path) -> str:
    """All of it. Raises BadInputError where there is none that can be read."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{file}: not UTF-8; save the file as UTF-8") from error
