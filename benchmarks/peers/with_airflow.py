"""Airflow: scheduler with LocalExecutor, API server and DAG processor, on a PostgreSQL of its own."""

from __future__ import annotations

import getpass
import json
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from secrets import token_hex
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from benchmarks.peers.place import (
    TOGETHER,
    Play,
    UnavailableError,
    command,
    listens,
    process,
    program,
    python_of,
    until,
)
from benchmarks.peers.plays import CHAIN, FAN
from broker.ports import free_port
from tests.support.mosquitto import HOST

_DAGS = Path(__file__).with_name("airflow_dags.py")


class Airflow:
    """Its scheduler looks for what is due, and between two looks it sleeps: a second, or a twentieth of one."""

    def __init__(self, idle_sleep: float | None = None) -> None:
        self._idle_sleep = idle_sleep
        tuned = f", scheduler_idle_sleep_time {idle_sleep:g} s" if idle_sleep is not None else ""
        self.name = f"Airflow{tuned}"
        self.setup = f"LocalExecutor, PostgreSQL, parallelism 16, else as it comes{tuned or ' (idle sleep 1 s)'}"

    @contextmanager
    def running(self, folder: Path) -> Iterator[Play]:
        """All of it; it is ready when it knows both DAGs."""
        python, port = python_of("airflow"), free_port()
        with ExitStack() as stack:
            database = stack.enter_context(_postgres(folder / "postgres"))
            environment = self._environment(folder, port, database)
            (folder / "dags").mkdir()
            shutil.copy(_DAGS, folder / "dags")
            _ran([python, "-m", "airflow", "db", "migrate"], environment)
            for name, words in (
                ("api-server", ["--host", HOST, "--port", str(port), "--workers", "1"]),
                ("dag-processor", []),
                ("scheduler", ["--skip-serve-logs"]),
            ):
                log = folder / f"{name}.log"
                stack.enter_context(process([python, "-m", "airflow", name, *words], log, environment))
            until(lambda: listens(port), "the API server did not answer")
            api = _Api(f"http://{HOST}:{port}")
            for kind in ("chain", "fan"):
                until(partial(api.knows, kind), f"Airflow did not find its DAG {kind}")

            def play(kind: str, jobs: int, stamps: Path) -> None:
                if jobs != {"chain": CHAIN, "fan": FAN}[kind]:
                    raise UnavailableError(f"its DAG {kind} has another size than {jobs}")
                api.start(kind, stamps)

            yield play

    def _environment(self, folder: Path, port: int, database: str) -> dict[str, str]:
        found = {
            **os.environ,
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": str(TOGETHER),
            "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": str(TOGETHER),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{port}/execution/",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
            "AIRFLOW__API__BASE_URL": f"http://{HOST}:{port}",
            "AIRFLOW__API__SECRET_KEY": token_hex(16),
            "AIRFLOW__API_AUTH__JWT_SECRET": token_hex(32),
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "TOGETHER": str(TOGETHER),
            "PEER_COMMAND": command("STAMPS", "JOB"),
            "PEER_CHAIN": str(CHAIN),
            "PEER_FAN": str(FAN),
        }
        if self._idle_sleep is not None:
            found["AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME"] = str(self._idle_sleep)
        return found


class _Api:
    """What is asked of Airflow, over HTTP."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._token = ""

    def knows(self, dag: str) -> bool:
        """Whether it has found a DAG."""
        try:
            self._token = self._token or self._asked("/auth/token")["access_token"]
            return not self._asked(f"/api/v2/dags/{dag}")["is_paused"]
        except (HTTPError, URLError, ConnectionError, TimeoutError):
            return False

    def start(self, dag: str, stamps: Path) -> None:
        """Have a DAG run."""
        self._asked(f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None, "conf": {"stamps": str(stamps)}})

    def _asked(self, path: str, body: object = None) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        data = json.dumps(body).encode() if body is not None else None
        request = Request(self._address + path, data, {**headers, "Content-Type": "application/json"})  # noqa: S310  # loopback
        with urlopen(request, timeout=60) as answer:  # noqa: S310  # likewise
            found: dict[str, str] = json.load(answer)
            return found


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    """A fresh PostgreSQL that syncs its commits, as it comes; it does not run as root, so somebody else has to be there."""
    user = None if os.getuid() else _somebody()
    port = free_port()
    folder.mkdir()
    if user is not None:
        shutil.chown(folder, user)
        for parent in (folder.parent, folder.parent.parent):
            parent.chmod(0o755)
    data = folder / "data"
    initdb, postgres = program("initdb", "postgresql"), program("postgres", "postgresql")
    _ran([initdb, "-D", str(data), "-U", "airflow", "-A", "trust", "--no-instructions"], os.environ, user)
    words = [postgres, "-D", str(data), "-p", str(port), "-h", HOST, "-k", str(folder)]
    with process(words, folder / "log", os.environ, user):
        until(lambda: listens(port), "PostgreSQL did not answer")
        _ran(
            [program("createdb", "postgresql"), "-h", HOST, "-p", str(port), "-U", "airflow", "airflow"],
            os.environ,
            user,
        )
        yield f"postgresql+psycopg2://airflow@{HOST}:{port}/airflow"


def _somebody() -> str:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise UnavailableError(f"PostgreSQL does not run as {getpass.getuser()}, and there is nobody else")


def _ran(words: list[str], environment: Mapping[str, str], user: str | None = None) -> None:
    done = subprocess.run(  # noqa: S603  # ours
        words, env=dict(environment), cwd="/", user=user, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing said"]
        raise UnavailableError(f"{Path(words[0]).name} {' '.join(words[1:5])} failed: {said[-1]}")
