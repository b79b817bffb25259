"""A real mosquitto for a test: on a free port of the loopback address, with the repository's mosquitto.conf.

Made as the product makes one: that file, and the lines of this place after it. Knows nothing of pytest.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from broker.ports import free_port
from tests.support.waiting import until

HOST = "127.0.0.1"
CONFIG = Path(__file__).resolve().parents[2] / "mosquitto.conf"
START_SECONDS = 10.0
STOP_SECONDS = 10.0


def find_mosquitto() -> str:
    """Where the program is. Debian puts it where only root's PATH leads."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])
    found = shutil.which("mosquitto", path=path)
    if not found:
        raise FileNotFoundError("mosquitto is missing: `make setup` installs it, or says how")
    return found


@dataclass
class Mosquitto:
    """One broker: its folder, its port, and its process while it runs.

    The port stays the same over all restarts, and so does what is retained on disk.
    """

    folder: Path
    lines: tuple[str, ...] = ("allow_anonymous true",)
    """What belongs to this broker alone, besides listener and persistence."""
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """Where it listens."""
        return HOST

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._process is not None, "this broker is not running"
        return self._process.pid

    @property
    def log(self) -> str:
        """All that it has said, over all its lives."""
        log = self.folder / "mosquitto.log"
        return log.read_text(encoding="utf-8") if log.exists() else ""

    @property
    def store(self) -> Path:
        """The file in which it keeps what is retained. Delete it, while the broker is down, to lose everything."""
        return self.folder / "store" / "mosquitto.db"

    def start(self) -> None:
        """Start it, and come back when it accepts connections."""
        assert self._process is None, "this broker runs already"
        self.store.parent.mkdir(parents=True, exist_ok=True)
        config = self.folder / "mosquitto.conf"
        config.write_text(self._config(), encoding="utf-8")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([find_mosquitto(), "-c", str(config)], stdout=log, stderr=log)
        until(self._accepts, within=START_SECONDS, what=lambda: f"mosquitto accepts connections; it said:\n{self.log}")

    def stop(self) -> None:
        """Ask it to end: it saves what is retained, and ends."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it as a power cut would: what was not saved is lost."""
        self._end(signal.SIGKILL)

    def save(self) -> None:
        """Make it save now what is retained, and come back when that is on disk."""
        before = self._saved()
        os.kill(self.pid, signal.SIGUSR1)
        until(lambda: self._saved() != before, within=START_SECONDS, what="mosquitto saves what is retained")

    def freeze(self) -> None:
        """Stop it without ending it: connections stay, and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def forget(self) -> None:
        """Lose what is retained; while it is down."""
        self.store.unlink(missing_ok=True)

    def close(self) -> None:
        """End it, whatever state it is in."""
        if self._process is not None:
            self.kill()

    def _saved(self) -> int:
        """Which file the store is: each save writes a new one, then puts it in the old one's place."""
        return self.store.stat().st_ino if self.store.exists() else 0

    def _config(self) -> str:
        here = [
            f"listener {self.port} {HOST}",
            f"persistence_location {self.store.parent}/",
            # Started by root, mosquitto would become the user `mosquitto`, who may not write here.
            *(["user root"] if os.geteuid() == 0 else []),
            *self.lines,
        ]
        return CONFIG.read_text(encoding="utf-8") + "\n".join(["", *here, ""])

    def _accepts(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"mosquitto ended with {self._process.returncode}; it said:\n{self.log}")
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def _end(self, signal_number: signal.Signals) -> None:
        assert self._process is not None, "this broker is not running"
        self._process.send_signal(signal_number)
        if signal_number is signal.SIGTERM:
            self._process.send_signal(signal.SIGCONT)
        self._process.wait(timeout=STOP_SECONDS)
        self._process = None


@contextmanager
def running_mosquitto(folder: Path, *lines: str) -> Iterator[Mosquitto]:
    """Run a broker in the folder, with lines of its own instead of ``allow_anonymous true``, and end it after."""
    broker = Mosquitto(folder, lines) if lines else Mosquitto(folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.close()
