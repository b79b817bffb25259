"""The files of the page, read once, with the headers that go with them. Knows no server."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Final

from msgspec import Struct

from jobplan.errors import JobplanError

FOLDER: Final = Path(__file__).parent / "static"
"""What `make web` builds."""

CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
PACKED: Final = frozenset({".css", ".html", ".js", ".svg", ".txt"})
FOR_EVER: Final = "public, max-age=31536000, immutable"
ASK_FIRST: Final = "no-cache"

EVERYWHERE: Final = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of every answer, beside the policy."""


def policy(websockets: str = "") -> str:
    """Of content security: everything comes from here, nothing stands inline, nobody may put the page in a frame.

    ``websockets``: the address of a broker's own listener, the one other thing that the page may connect to.
    """
    other = f" {websockets}" if websockets else ""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'{other}; "
        "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


class PageFile(Struct, frozen=True, kw_only=True):
    """One file as it is sent."""

    content: bytes
    packed: bytes
    """With gzip; empty: it would not get smaller."""
    content_type: str
    tag: str
    """Changes with the content."""
    cache: str


def read_files(folder: Path = FOLDER) -> dict[str, PageFile]:
    """The files by the path of their address; ``/`` is the page. Raises JobplanError when it was never built."""
    if not (folder / "index.html").is_file():
        raise JobplanError(f"the page is not built: {folder} has no index.html; 'make web' builds it")
    files = {
        f"/{file.relative_to(folder).as_posix()}": _read(file, named_by_content="assets" in file.parts)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.suffix in CONTENT_TYPES
    }
    return files | {"/": files["/index.html"]}


def _read(file: Path, *, named_by_content: bool) -> PageFile:
    content = file.read_bytes()
    packed = gzip.compress(content, mtime=0) if file.suffix in PACKED else b""
    return PageFile(
        content=content,
        packed=packed if len(packed) < len(content) else b"",
        content_type=CONTENT_TYPES[file.suffix],
        tag=hashlib.sha256(content).hexdigest()[:20],
        cache=FOR_EVER if named_by_content else ASK_FIRST,
    )
