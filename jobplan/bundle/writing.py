"""Writes a bundle as Ikasan's zip, plain or with tokens in place of an environment's values."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Final

from jobplan.bundle.errors import BundleError
from jobplan.bundle.filenames import sanitised
from jobplan.bundle.model import Bundle
from jobplan.bundle.raw import Documents, Json, pretty, text_of
from jobplan.bundle.tokens import literal_tokens, put_tokens
from schemas.requests import Fault

_FOLDERS: Final[tuple[str, ...]] = (
    "context/",
    "notification/",
    "profiles/",
    "jobs/",
    "jobs/file/",
    "jobs/internal/",
    "jobs/quartz/",
    "jobs/global/",
    "notification_details/",
)
"""Ikasan writes them all, empty or not."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_OF_ZIP: Final = datetime(1980, 1, 1, tzinfo=UTC)
_FILE_MODE: Final = 0o100644 << 16
_FOLDER_MODE: Final = (0o040755 << 16) | 0x10


def export(bundle: Bundle, to: Path | str | IO[bytes], *, millis: int, tokens: Mapping[str, str] | None = None) -> None:
    """Write the zip. ``millis`` (since 1970) is part of its directory's name: ``<millis>-<plan>/``.

    With ``tokens``, each value is replaced by ``[[name]]``: see ``put_tokens`` for which where, and ``suggested_tokens`` for what
    Ikasan would replace. Importing the result with the same tokens gives the same documents. The same bundle, millis and tokens
    give the same bytes.
    """
    documents = _with_tokens(bundle.documents, tokens) if tokens else bundle.documents
    if isinstance(to, str | Path):
        beside = Path(f"{to}.part")
        with beside.open("wb") as file:
            _write(documents, file, millis)
        beside.replace(to)
    else:
        _write(documents, to, millis)


def _with_tokens(documents: Documents, tokens: Mapping[str, str]) -> Documents:
    """The documents with tokens, under file names without them. Raises BundleError when it could not be undone."""
    faults = [
        Fault(path=f"token {name}", message=f"the plan holds the text [[{name}]] already; choose another name")
        for name in sorted(literal_tokens(documents) & tokens.keys())
    ]
    faults += [
        Fault(path=f"token {name}", message="an empty value cannot be found in a plan; leave the token out")
        for name, value in sorted(tokens.items())
        if not value
    ]
    if faults:
        raise BundleError(faults)
    changed = put_tokens(documents, tokens)
    return {
        f"context/{sanitised(_name(document))}.json" if path.startswith("context/") else path: document
        for path, document in changed.items()
    }


def _name(document: Json) -> str:
    return text_of(document, "name") if isinstance(document, dict) else ""


def _write(documents: Documents, file: IO[bytes], millis: int) -> None:
    plan = next(path for path in documents if path.startswith("context/"))
    top = f"{millis}-{plan.removeprefix('context/').removesuffix('.json')}/"
    stamp = _stamp(millis)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder in ("", *_folders(documents)):
            entry = zipfile.ZipInfo(top + folder, stamp)
            entry.external_attr = _FOLDER_MODE
            archive.writestr(entry, b"")
        for path, document in documents.items():
            entry = zipfile.ZipInfo(top + path, stamp)
            entry.external_attr = _FILE_MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, pretty(document))


def _folders(documents: Documents) -> Iterator[str]:
    """Every folder once, the outer ones first."""
    found: dict[str, None] = dict.fromkeys(_FOLDERS)
    for path in documents:
        parts = path.split("/")[:-1]
        found.update(dict.fromkeys("/".join(parts[:upto]) + "/" for upto in range(1, len(parts) + 1)))
    yield from found


def _stamp(millis: int) -> tuple[int, int, int, int, int, int]:
    """The time of the entries: that of the export, as far as a zip can say it."""
    at = max(_EPOCH + timedelta(milliseconds=millis), _FIRST_OF_ZIP)
    return (at.year, at.month, at.day, at.hour, at.minute, at.second)
