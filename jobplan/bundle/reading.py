"""Reads a bundle: a zip, an unpacked folder, or one plan file. Everything that is wrong is told at once; nothing is half read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jobplan.bundle.contents import Contents, Limits, is_litter, read_folder, read_zip
from jobplan.bundle.errors import BundleError
from jobplan.bundle.layouts import from_files, from_one_file
from jobplan.bundle.model import Bundle, build, raw_documents
from jobplan.bundle.raw import BadJsonError, Documents, parse
from jobplan.bundle.tokens import replace_tokens
from schemas.requests import Fault

DEFAULT_LIMITS: Final = Limits()


def load(path: Path | str, tokens: Mapping[str, str] | None = None, *, limits: Limits = DEFAULT_LIMITS) -> Bundle:
    """The bundle at a path, with ``[[name]]`` replaced by the values given in ``tokens``.

    Raises BundleError for what cannot be read and for a plan whose jobs are missing. Whether the plan makes sense is for the plan
    rules to say.
    """
    path = Path(path)
    try:
        contents, one_file = _contents(path, limits)
    except OSError as error:
        raise BundleError([Fault(path=str(path), message=f"cannot be read: {error.strerror or error}")]) from error
    documents, faults = _parsed(contents)
    documents, about_tokens = replace_tokens(documents, tokens or {})
    faults += about_tokens
    if any(not fault.warning for fault in faults):
        raise BundleError(faults)
    return _built(documents, faults, one_file=one_file)


def _contents(path: Path, limits: Limits) -> tuple[Contents, bool]:
    """The files, and whether it is one plan file."""
    if path.is_dir():
        return read_folder(path, limits), False
    if path.stat().st_size > limits.total_bytes:
        raise BundleError([Fault(path=path.name, message=f"larger than {limits.total_bytes} bytes; is this a bundle?")])
    with path.open("rb") as opened:
        begin = opened.read(4)
    if path.suffix.lower() == ".zip" or begin.startswith(b"PK"):
        return read_zip(path, limits), False
    return Contents(files={path.name: path.read_bytes()}), True


def _parsed(contents: Contents) -> tuple[Documents, list[Fault]]:
    """The JSON documents; anything else is left out, and said."""
    documents: Documents = {}
    faults = list(contents.faults)
    only = len(contents.files) == 1
    for path, data in sorted(contents.files.items()):
        if not only and not path.lower().endswith(".json"):
            if not is_litter(path):
                faults.append(Fault(path=path, message="no JSON file; it is ignored", warning=True))
            continue
        try:
            documents[path], warnings = parse(data, path)
            faults += warnings
        except BadJsonError as error:
            faults.append(error.fault)
    return documents, faults


def _built(documents: Documents, faults: list[Fault], *, one_file: bool) -> Bundle:
    if one_file:
        ((name, document),) = documents.items()
        stored = raw_documents(document)
        raw = from_files(stored) if stored is not None else from_one_file(document, name)
        one_file = stored is None
    else:
        raw = from_files(documents)
    raw.faults[:0] = faults
    return build(raw, one_file=one_file)
