"""The broker in memory, with what tests of a node's life want besides: a record of what was published, and a voice of its own."""

from __future__ import annotations

from collections.abc import Mapping

from broker.bus import Publication
from broker.memory import MemoryBroker


class FakeBroker(MemoryBroker):
    """A broker that remembers everything that clients published."""

    def __init__(self, *, prefix: str) -> None:
        super().__init__(prefix=prefix)
        self.history: list[Publication] = []
        """What was published, retained or not, wills excepted; the nonces that end replays are left out."""
        self.attempts = 0
        """How often a session was asked for."""
        self.up = True

    def enter(self, session: object, client: str, will: Publication | None) -> None:
        """Count, and log in."""
        self.attempts += 1
        super().enter(session, client, will)  # type: ignore[arg-type]  # its class is memory.py's own affair

    def publish(self, number: int, publication: Publication) -> bool:
        """Remember, and pass on."""
        if "/_sync/" not in publication.topic:
            self.history.append(publication)
        return super().publish(number, publication)

    def tell(self, publication: Publication) -> None:
        """Publish as somebody who is not under test."""
        number, _ = self._model.connect("somebody", None)
        self.publish(number, publication)
        self._model.leave(number)

    def kill(self) -> None:
        """Power off."""
        self.up = False
        super().kill()

    def start(self, retained: Mapping[str, bytes] | None = None) -> None:
        """Start again."""
        self.up = True
        super().start(retained)

    def cut_all(self) -> None:
        """Break every connection; wills are published."""
        for client in list(self.clients):
            self.cut(client)
