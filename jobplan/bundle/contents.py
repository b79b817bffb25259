"""The files of a bundle, out of a zip or a folder, as bytes and with every suspicion voiced. It knows nothing of JSON.

A zip is somebody else's data: it may claim to be small and unpack to terabytes, name files outside its directory, or hide links.
Nothing is ever unpacked to disk; what is read is bounded.
"""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from msgspec import Struct, field

from schemas.requests import Fault

_NO_PATH: Final = re.compile(r"[\x00\\]|^[^/]*:")
"""Zero bytes, backslashes, drive letters."""


class Limits(Struct, frozen=True, kw_only=True):
    """How much a bundle may be. The defaults hold plans of tens of thousands of jobs."""

    entries: int = 100_000
    file_bytes: int = 64 << 20
    total_bytes: int = 256 << 20
    ratio: int = 200
    """How many times larger than its packed form a file may be ..."""
    ratio_from: int = 1 << 20
    """... once it is larger than this."""


class Contents(Struct):
    """The files by their path below the bundle's directory, and what is wrong."""

    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_wrong(self) -> bool:
        """Whether there is an error among the faults."""
        return any(not fault.warning for fault in self.faults)

    def wrong(self, path: str, message: str) -> None:
        """Note an error."""
        self.faults.append(Fault(path=path, message=message))

    def ignore(self, path: str, message: str) -> None:
        """Note a warning."""
        self.faults.append(Fault(path=path, message=message, warning=True))


def is_litter(path: str) -> bool:
    """What file managers leave behind: not worth a word."""
    parts = PurePosixPath(path).parts
    return any(part in {"__MACOSX", ".DS_Store", "Thumbs.db"} or part.startswith("._") for part in parts)


def read_zip(path: Path, limits: Limits) -> Contents:
    """The files of a zip whose first entry is the bundle's directory."""
    found = Contents()
    if path.stat().st_size > limits.total_bytes:
        found.wrong(path.name, f"larger than {limits.total_bytes} bytes; is this a bundle?")
        return found
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _entries(archive.infolist(), found, path.name, limits)
            if not found.is_wrong:
                _read_entries(archive, entries, found, limits)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, UnicodeError, ValueError) as error:
        found.wrong(path.name, f"not a zip that can be read ({error}); export the plan again")
    return found


def _entries(
    infos: list[zipfile.ZipInfo], found: Contents, archive: str, limits: Limits
) -> list[tuple[str, zipfile.ZipInfo]]:
    """The files with their paths below the bundle's directory; every entry that must not be there is a fault."""
    if len(infos) > limits.entries:
        found.wrong(archive, f"{len(infos)} entries; {limits.entries} are the limit")
        return []
    top = infos[0].orig_filename if infos else ""
    if not top.endswith("/") or top.count("/") != 1:
        first = f"its first entry is '{top}'" if infos else "it is empty"
        found.wrong(archive, f"{first}; the first entry must be the bundle's directory: zip the directory itself")
    seen: set[str] = set()
    files: list[tuple[str, zipfile.ZipInfo]] = []
    for info in infos:
        name = info.orig_filename
        if reason := _suspicion(info, limits) or ("it is there twice" if name in seen else ""):
            found.wrong(name, f"{reason}; nothing of the zip was read: export the plan again")
        elif not info.is_dir() and not is_litter(name):
            if name.startswith(top):
                files.append((name.removeprefix(top), info))
            else:
                found.ignore(name, f"outside the bundle's directory '{top}'; it is ignored")
        seen.add(name)
    if sum(info.file_size for info in infos) > limits.total_bytes:
        found.wrong(archive, f"unpacks to more than {limits.total_bytes} bytes; is this a bundle?")
    return files


def _suspicion(info: zipfile.ZipInfo, limits: Limits) -> str:
    """Why an entry must not be read; empty when it may."""
    name = info.orig_filename
    kind = stat.S_IFMT(info.external_attr >> 16)
    grown = info.file_size > limits.ratio_from and info.file_size > limits.ratio * max(info.compress_size, 1)
    reasons = {
        "a name that is absolute, or no path of a zip": name.startswith("/") or bool(_NO_PATH.search(name)),
        "a name that leads out of the bundle": not {"", ".", ".."}.isdisjoint(name.removesuffix("/").split("/")),
        "a link or a device, not a file": kind not in {0, stat.S_IFREG, stat.S_IFDIR},
        "it is encrypted": bool(info.flag_bits & 0x1),
        f"{info.file_size} bytes; {limits.file_bytes} are the limit": info.file_size > limits.file_bytes,
        f"it unpacks to more than {limits.ratio} times its size": grown,
    }
    return next((reason for reason, applies in reasons.items() if applies), "")


def _read_entries(
    archive: zipfile.ZipFile, entries: list[tuple[str, zipfile.ZipInfo]], found: Contents, limits: Limits
) -> None:
    """Read the files, never more of one than it says it holds."""
    for path, info in entries:
        try:
            with archive.open(info) as packed:
                data = packed.read(info.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            found.wrong(path, f"cannot be unpacked ({error}); export the plan again")
            continue
        if len(data) != info.file_size or len(data) > limits.file_bytes:
            found.wrong(path, "not as long as the zip says; export the plan again")
        else:
            found.files[path] = data


def read_folder(path: Path, limits: Limits) -> Contents:
    """The files of an unpacked bundle; the folder may also be the one around it."""
    found = Contents()
    inside = [path] if (path / "context").is_dir() else _bundles_in(path)
    if len(inside) != 1:
        what = f"{len(inside)} bundles in it: {_names(inside)}; give one of them" if inside else _nothing_there()
        found.wrong(str(path), what)
        return found
    total = 0
    for number, file in enumerate(_walk(inside[0], found), 1):
        total += file.stat().st_size
        if number > limits.entries or total > limits.total_bytes:
            found.wrong(str(path), f"more than {limits.entries} files or {limits.total_bytes} bytes; is this a bundle?")
            return found
        _read_file(file, file.relative_to(inside[0]).as_posix(), found, limits)
    return found


def _nothing_there() -> str:
    return "no bundle in it: a folder 'context' with the plan's file is missing; give the folder of one bundle"


def _names(paths: Iterable[Path]) -> str:
    return ", ".join(f"'{path.name}'" for path in paths)


def _bundles_in(path: Path) -> list[Path]:
    return sorted(inner for inner in path.iterdir() if inner.is_dir() and (inner / "context").is_dir())


def _walk(folder: Path, found: Contents) -> Iterator[Path]:
    """The plain files below a folder, by name; links are not followed."""
    for inner in sorted(folder.iterdir()):
        if inner.is_symlink():
            found.wrong(str(inner), "a link; a bundle holds its files itself: copy the file here")
        elif inner.is_dir():
            yield from _walk(inner, found)
        elif inner.is_file() and not is_litter(inner.name):
            yield inner


def _read_file(file: Path, path: str, found: Contents, limits: Limits) -> None:
    try:
        with file.open("rb") as opened:
            data = opened.read(limits.file_bytes + 1)
    except OSError as error:
        found.wrong(path, f"cannot be read: {error.strerror}")
        return
    if len(data) > limits.file_bytes:
        found.wrong(path, f"larger than {limits.file_bytes} bytes; is this part of a bundle?")
    else:
        found.files[path] = data
