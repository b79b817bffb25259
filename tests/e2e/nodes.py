"""A whole installation of a test: broker, dashboard and agents as `jobplan serve` runs them, and the command line beside them.

Every process is ours: started here, ended here by its id, its output kept in the test's folder.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from broker.ports import free_port
from tests.support.mosquitto import HOST
from tests.support.waiting import until

JOBPLAN = (sys.executable, "-m", "jobplan")
ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 15.0
PATIENCE = 20.0

Row = dict[str, object]


@dataclass
class Node:
    """One node, over all its lives."""

    name: str
    arguments: tuple[str, ...]
    log: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Begin a life."""
        assert self._process is None, f"{self.name} runs already"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*JOBPLAN, "serve", *self.arguments],
                stdout=log,
                stderr=log,
                cwd=self.log.parent,
                env=environment(node=True),
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        return self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Stop it without ending it: its connection stays, and it says nothing."""
        assert self._process is not None, f"{self.name} does not run"
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None, f"{self.name} does not run"
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it if it still runs."""
        if self._process is not None:
            self.stop()

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._process is not None, f"{self.name} does not run"
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it is there."""
        return self._process is not None and self._process.poll() is None

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None, f"{self.name} does not run"
        self._process.send_signal(number)
        code = self._process.wait(timeout=STOP_SECONDS)
        self._process = None
        return code


@dataclass
class Installation:
    """Nodes of one folder and one broker."""

    folder: Path
    port: int = field(default_factory=free_port)
    others: tuple[int, ...] = ()
    """Ports of the broker's further servers."""
    nodes: dict[str, Node] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the broker is."""
        return "mqtt://" + ",".join(f"{HOST}:{port}" for port in (self.port, *self.others))

    def node(self, name: str, *arguments: str) -> Node:
        """A node that is not started yet."""
        options = ("--broker", self.url, "--data", str(self.folder / "data"))
        node = Node(name, (*arguments, *options), self.folder / f"{name}.log")
        self.nodes[name] = node
        return node

    def start(self, *agents: str, retention: float = 3600.0, dashboard: Sequence[str] = ()) -> None:
        """Start a broker, a dashboard (with further options), and agents; come back when all of them are there."""
        self.node("broker", "broker").start()
        self.node("dashboard", "dashboard", "--retention", str(retention), *dashboard).start()
        for agent in agents:
            self.node(agent, "agent", agent).start()
        self.wait_for_agents(*agents)

    def wait_for_agents(self, *agents: str, within: float = PATIENCE) -> None:
        """Come back when these agents, and the dashboard, show themselves alive."""

        def there() -> bool:
            answer = self.run("agent", "list", "--json")
            alive = {row["node"] for row in json.loads(answer.stdout or "[]") if row["state"] == "alive"}
            return (
                answer.returncode == 0
                and set(agents) <= alive
                and not self.run("plan", "list").stderr.count("dashboard")
            )

        until(there, within=within, what=lambda: f"nodes are up; {self.logs()}")

    def run(self, *arguments: str, user: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever that is; ``user``: as somebody, whom the broker believes."""
        url = self.url.replace("//", f"//{user}:x@") if user else self.url
        command = [*JOBPLAN, *arguments, "--broker", url]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, cwd=self.folder, env=environment()
        )

    def do(self, *arguments: str) -> str:
        """Run a command that has to succeed; what it wrote."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"jobplan {' '.join(arguments)}: {done.returncode}\n{done.stderr}\n{self.logs()}"
        return done.stdout

    def ask(self, *arguments: str) -> list[Row]:
        """Run a command that has to succeed with --json; the list it wrote."""
        found = json.loads(self.do(*arguments, "--json"))
        assert isinstance(found, list), f"jobplan {' '.join(arguments)}: a list is wanted, not {found}"
        return found

    def statuses(self, instance: str) -> dict[str, str]:
        """Status by job."""
        return {str(row["name"]): str(row["status"]) for row in self.ask("job", "list", instance)}

    def instance_status(self, instance: str) -> str:
        """Status of an instance; empty when it is not there."""
        return next((str(row["status"]) for row in self.ask("instance", "list") if row["instance"] == instance), "")

    def topics_of(self, instance: str) -> list[str]:
        """The retained topics of an instance."""
        return [topic for topic in json.loads(self.do("topics", "--json")) if instance in topic]

    def wait_for(self, instance: str, status: str, *, within: float = PATIENCE) -> None:
        """Come back when the instance stands so."""
        until(
            lambda: self.instance_status(instance) == status,
            within=within,
            what=lambda: f"{instance} is {status}: {self.statuses(instance)}; {self.logs()}",
        )

    def logs(self) -> str:
        """What the nodes have said last."""
        return "\n".join(
            f"--- {node.name}\n{node.log.read_text()[-2000:]}" for node in self.nodes.values() if node.log.exists()
        )

    def close(self) -> None:
        """End everything, the broker last."""
        for node in reversed(self.nodes.values()):
            node.close()


def environment(*, node: bool = False) -> dict[str, str]:
    """Of a process: nothing of the tester's own settings, and this checkout's packages first.

    Nodes are watched by asyncio's debug mode when the tests are; what a person sees of a command is what people see, without its
    warnings of a slow machine.
    """
    own = {
        name: value for name, value in os.environ.items() if not name.startswith("JOBPLAN_") or name == "JOBPLAN_TESTS"
    }
    if not node:
        own.pop("PYTHONASYNCIODEBUG", None)
    return own | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


@contextmanager
def an_installation(folder: Path) -> Iterator[Installation]:
    """An installation that is ended after the test."""
    installation = Installation(folder)
    try:
        yield installation
    finally:
        installation.close()


def a_command(name: str, line: str, agent: str = "north", **more: object) -> dict[str, object]:
    """A command job of a plan."""
    return {"agentName": agent, "jobName": name, "commandLine": line, **more}


def write_plan(
    folder: Path,
    jobs: Sequence[Mapping[str, object]],
    after: Mapping[str, Sequence[str]],
    **plan: object,
) -> Path:
    """Write a plan as an unpacked bundle. ``after``: for each job the ones it needs (all of them); jobs by name."""
    ids = {str(job["jobName"]): f"{job['agentName']}-{job['jobName']}" for job in jobs}
    document = {
        "name": folder.name,
        "contextTtlMilliseconds": 3_600_000,
        "scheduledJobs": [{"agentName": job["agentName"], "jobName": job["jobName"]} for job in jobs],
        "jobDependencies": [
            {"jobIdentifier": ids[name], "logicalGrouping": {"and": [{"identifier": ids[one]} for one in needed]}}
            for name, needed in after.items()
        ],
        **plan,
    }
    _write(folder / "context" / f"{folder.name}.json", document)
    for job in jobs:
        _write(folder / "jobs" / _kind(job) / f"{job['jobName']}.json", dict(job) | {"contextName": folder.name})
    return folder


def _kind(job: Mapping[str, object]) -> str:
    """In which folder of a bundle a job stands."""
    if job["agentName"] == "GLOBAL_EVENT":
        return "global"
    return "internal" if "commandLine" in job else "file" if "filenames" in job else "quartz"


def _write(file: Path, document: Mapping[str, object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document), encoding="utf-8")
