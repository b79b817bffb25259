"""The two kinds of packets that come in by the thousand, read without the objects that paho makes of each. Pure.

As MQTT 3.1.1 and 5 have them (sections 3.3 and 3.4), behind their fixed headers. No property is of use to us, so none is read.
"""

from __future__ import annotations

from typing import Final, NamedTuple

KIND: Final = 0b1111_0000
"""Of the first byte of a header: what kind of packet it is; these two are read here."""
PUBLISH: Final = 0x30
PUBACK: Final = 0x40
_RETAIN: Final = 0b0001
_QOS: Final = 0b0110
_MORE: Final = 0x80
"""Of a byte of a length: another one follows."""


class Arrived(NamedTuple):
    """A PUBLISH."""

    topic: str
    payload: bytes
    retained: bool
    message: int
    """The message id that is to be acknowledged; 0: nobody waits for that."""


def publication(command: int, packet: bytes, *, has_properties: bool) -> Arrived:
    """Read a PUBLISH; ``command`` is the first byte of its header. Raises ValueError."""
    end = 2 + int.from_bytes(packet[:2], "big")
    topic, message = packet[2:end].decode(), 0
    if command & _QOS:
        message = int.from_bytes(packet[end : end + 2], "big")
        end += 2
    if has_properties:
        end += _skipped(packet[end : end + 4])
    if end > len(packet):
        raise ValueError("a PUBLISH is shorter than it says")
    return Arrived(topic, packet[end:], bool(command & _RETAIN), message)


def content(data: bytes, start: int) -> tuple[int, int] | None:
    """Where the content of the packet that starts there begins and ends, behind its fixed header; None: it is not all there."""
    length = 0
    for index, byte in enumerate(data[start + 1 : start + 5]):
        length |= (byte & ~_MORE) << (7 * index)
        if not byte & _MORE:
            begin = start + 2 + index
            return (begin, begin + length) if begin + length <= len(data) else None
    return None


def acknowledgment(packet: bytes) -> tuple[int, int]:
    """Read a PUBACK: the message id, and the reason, which is 0 where none is given."""
    return int.from_bytes(packet[:2], "big"), packet[2] if len(packet) > 2 else 0  # noqa: PLR2004  # bytes of the id


def _skipped(size: bytes) -> int:
    """How many bytes properties take, with their length, which comes seven bits a byte."""
    length = 0
    for index, byte in enumerate(size):
        length |= (byte & ~_MORE) << (7 * index)
        if not byte & _MORE:
            return index + 1 + length
    raise ValueError("properties of a PUBLISH have no length")
