"""Moves a paho client's packets between its socket and the event loop by the burst: one system call for all there is.

Left to themselves, paho and aiomqtt read a packet in three calls, one packet each time round the loop, and write each packet in
a call of its own after three rounds. Here paho reads only what nobody else takes: other kinds of packets, what is not whole, and
the end. What must not be known here: what the packets say.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from paho.mqtt import client as paho
from paho.mqtt.enums import MQTTErrorCode

from broker.mqtt.packets import PUBLISH, content

_MOST: Final = 65_536
"""Bytes read at once: the loop's others have their turn in between."""


class _Ours(bytearray):
    """Packets of which paho need not know that they are several."""


Take = Callable[[int, bytes], bool]
"""Is shown a packet, as the first byte of its header and its content; whether it has taken it."""


class Bursts:
    """A paho client's reads and writes, on the event loop once it is open. It reaches into paho, whose own calls do less."""

    def __init__(self, client: paho.Client, take: Take, failed: Callable[[Exception], None]) -> None:
        """``take``: who is shown each packet before the client; ``failed``: told of what either of them raised."""
        self._client = client
        self._offer = take
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._receive = client._sock_recv
        self._ahead = b""
        """What was read and not yet taken, from ``_taken`` on."""
        self._taken = 0
        self._ended: OSError | None = None
        """What the client is to meet behind that: nothing more will come."""
        self._full = False
        """Whether the loop tells us when the socket takes more."""
        client._sock_recv = self._take  # type: ignore[method-assign]  # it has no hook for this
        self._handle = client._packet_handle
        client._packet_handle = self._handled  # type: ignore[method-assign]  # the same

    def open(self, sock: paho.SocketLike) -> None:
        """The client has this socket from now on. May be called in a thread."""
        self._loop.call_soon_threadsafe(self._loop.add_reader, sock.fileno(), self._readable)

    def put(self, packet: bytes) -> None:
        """Have a PUBLISH or PUBACK leave behind all that waits."""
        waiting = self._client._out_packet
        if waiting and isinstance(waiting[-1]["packet"], _Ours):
            waiting[-1]["packet"] += packet
            waiting[-1]["to_process"] += len(packet)
        else:
            self._client._packet_queue(PUBLISH, _Ours(packet), 0, 1)

    def send_soon(self, *, threaded: bool) -> None:
        """The client has something to send: it leaves with what follows in this round of the loop."""
        schedule = self._loop.call_soon_threadsafe if threaded else self._loop.call_soon
        schedule(self.send)

    def send(self) -> None:
        """What the client has to send leaves now, as far as the socket takes it."""
        try:
            self._join()
            self._client.loop_write()
        except Exception as error:  # noqa: BLE001  # the same
            self._failed(error)
        sock = self._client.socket()
        if not self._full and self._client.want_write() and isinstance(sock, socket.socket):
            self._full = True
            self._loop.add_writer(sock.fileno(), self.send)

    def emptied(self, sock: paho.SocketLike) -> None:
        """The client has nothing to send any more."""
        if self._full:
            self._full = False
            self._loop.remove_writer(sock.fileno())

    def _readable(self) -> None:
        """Read once, and let every packet of it be taken; the client takes what nobody else does."""
        try:
            self._read()
            while self._pass_on() or self._ended is not None:
                if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    return
        except Exception as error:  # noqa: BLE001  # a handler's, whatever it is: told, as by aiomqtt
            self._failed(error)

    def _read(self) -> None:
        """All there is, in one call, behind what is left."""
        try:
            found = self._receive(_MOST)
        except BlockingIOError:
            return
        except OSError as error:
            self._ended = error
            return
        if not found:
            self._ended = ConnectionResetError("the broker closed it")
        self._ahead, self._taken = self._ahead[self._taken :] + found, 0
        self._client._last_bytes_received = paho.time_func()  # so it knows that the broker is there

    def _handled(self) -> MQTTErrorCode:
        """In place of the client's own handling of a packet that it has read."""
        packet = self._client._in_packet
        if self._offer(packet["command"], bytes(packet["packet"])):
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        return self._handle()

    def _pass_on(self) -> bool:
        """Offer whole packets, up to one that is not taken; whether there is something for the client."""
        ahead = self._ahead
        if not self._client._in_packet["command"]:  # else it is in the middle of one
            while (found := content(ahead, self._taken)) is not None:
                begin, end = found
                if not self._offer(ahead[self._taken], ahead[begin:end]):
                    break
                self._taken = end
        return self._taken < len(ahead)

    def _take(self, bufsize: int) -> bytes:
        """In place of the client's own read. Raises BlockingIOError when it has taken what came, and OSError at the end."""
        begin = self._taken
        if begin == len(self._ahead):
            raise self._ended or BlockingIOError
        self._taken = min(begin + bufsize, len(self._ahead))
        return self._ahead[begin : self._taken]

    def _join(self) -> None:
        """Make one packet of those that wait, the last one: a goodbye, when that has left, ends the client."""
        waiting = self._client._out_packet
        if len(waiting) > 1:
            whole = b"".join(one["packet"][one["pos"] :] for one in waiting)
            last = waiting.pop()
            last["packet"], last["pos"], last["to_process"] = whole, 0, len(whole)
            waiting.clear()
            waiting.append(last)
