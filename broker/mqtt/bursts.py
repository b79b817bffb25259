"""Moves a paho client's packets between its socket and the event loop by the burst: one system call for all there is.

Left to themselves, paho and aiomqtt read a packet in three calls, one packet each time round the loop, and write each packet in
a call of its own after three rounds. Here paho reads the first packet of each burst, and so knows that the broker is there, and
those that nobody else takes. What must not be known here: what the packets say.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from paho.mqtt import client as paho
from paho.mqtt.enums import MQTTErrorCode

from broker.mqtt.packets import content

_MOST: Final = 65_536
"""Bytes read at once: the loop's others have their turn in between."""


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
        self._read = client._sock_recv
        self._may_read = False
        self._ahead = b""
        """What was read and not yet taken, from ``_taken`` on."""
        self._taken = 0
        self._full = False
        """Whether the loop tells us when the socket takes more."""
        client._sock_recv = self._take  # type: ignore[method-assign]  # it has no hook for this
        self._handle = client._packet_handle
        client._packet_handle = self._handled  # type: ignore[method-assign]  # the same

    def open(self, sock: paho.SocketLike) -> None:
        """The client has this socket from now on. May be called in a thread."""
        self._loop.call_soon_threadsafe(self._loop.add_reader, sock.fileno(), self._readable)

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
        """Read once, and let every packet of it be taken; what is incomplete the client takes, with what is read next."""
        self._may_read = True
        try:
            while self._client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS and self._taken < len(self._ahead):
                self._pass_on()
                if self._taken == len(self._ahead):
                    break
        except Exception as error:  # noqa: BLE001  # a handler's, whatever it is: told, as by aiomqtt
            self._failed(error)

    def _handled(self) -> MQTTErrorCode:
        """In place of the client's own handling of a packet that it has read."""
        packet = self._client._in_packet
        if self._offer(packet["command"], bytes(packet["packet"])):
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        return self._handle()

    def _pass_on(self) -> None:
        """Offer whole packets, up to one that is not taken."""
        ahead = self._ahead
        while (found := content(ahead, self._taken)) is not None:
            before, (begin, end) = self._taken, found
            self._taken = end
            if not self._offer(ahead[before], ahead[begin:end]):
                self._taken = before
                return

    def _take(self, bufsize: int) -> bytes:
        """In place of the client's own read. Raises BlockingIOError when it has taken what came."""
        if self._taken == len(self._ahead):
            if not self._may_read:
                raise BlockingIOError
            self._may_read = False
            self._ahead, self._taken = self._read(_MOST), 0
        begin = self._taken
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
