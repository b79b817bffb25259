"""Bytes to documents and back.

A payload is one JSON object: the header's keys first (``v``, ``epoch``, ``revision``, ``at``), then the document's own.
Putting the header in front of the encoded body keeps the body comparable byte by byte, whoever stamped it and when.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from types import UnionType
from typing import Annotated, TypeVar, overload

import msgspec
from msgspec import Meta, Struct

VERSION = 1
"""Of the wire format: a reader sets aside what carries another one."""

T = TypeVar("T")


class SchemaError(ValueError):
    """Somebody else's data that is not what its topic promises; the message says what and at which JSON path."""


class Header(Struct, frozen=True, kw_only=True):
    """What orders the snapshots of a topic: the newest (epoch, revision) wins, what is not newer is ignored."""

    v: int
    epoch: int
    """One life of the writer; counted up, durably, at each start."""
    revision: int
    """Counted up with everything the writer shows in that life."""
    at: Annotated[datetime, Meta(tz=True)]

    @property
    def order(self) -> tuple[int, int]:
        """What is compared."""
        return (self.epoch, self.revision)


_encoder = msgspec.json.Encoder()
_header_decoder = msgspec.json.Decoder(Header)
_decoders: dict[object, msgspec.json.Decoder[object]] = {}


def encode_body(document: Struct) -> bytes:
    """The document alone. Equal documents give equal bytes."""
    return _encoder.encode(document)


def stamp(body: bytes, *, epoch: int, revision: int, at: datetime) -> bytes:
    """The payload for a body that ``encode_body`` gave."""
    head = f'{{"v":{VERSION},"epoch":{epoch},"revision":{revision},"at":"{_when(at)}"'.encode()
    return head + (b"}" if body == b"{}" else b"," + body[1:])


@lru_cache(maxsize=1)
def _when(at: datetime) -> str:
    """In UTC; all that a turn shows has the same time."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def decode_header(payload: bytes) -> Header:
    """The header of a payload. Raises SchemaError, also for another wire version."""
    try:
        header = _header_decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SchemaError(f"no header: {error}") from error
    if header.v != VERSION:
        raise SchemaError(f"wire version {header.v}; this program reads version {VERSION}")
    return header


def body_of(payload: bytes) -> bytes | None:
    """The body inside a payload that ``stamp`` made; None when somebody else's hand made it."""
    header = decode_header(payload)
    head = stamp(b"{}", epoch=header.epoch, revision=header.revision, at=header.at)[:-1]
    if not payload.startswith(head):
        return None
    rest = payload[len(head) :]
    return b"{}" if rest == b"}" else b"{" + rest[1:]


@overload
def decode(payload: bytes, kind: type[T]) -> T: ...
@overload
def decode(payload: bytes, kind: UnionType) -> Struct: ...
def decode(payload: bytes, kind: type[T] | UnionType) -> T | Struct:
    """The document of the given type (or union) in a payload, header or not. Raises SchemaError; unknown keys are ignored."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        return decoder.decode(payload)  # type: ignore[return-value]  # made for exactly this type
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SchemaError(str(error)) from error
