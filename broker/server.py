"""Runs a mosquitto of our own: finds the program, writes its configuration, starts it, waits until it answers, ends it.

All that it needs is in one folder: the configuration in effect, what is retained, its log. Its configuration is the
``mosquitto.conf`` of this project, as it is, and the lines of this place after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pwd
import re
import shutil
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from msgspec import Struct

from broker.address import BrokerUrl
from broker.errors import BusError
from broker.ports import free_port
from broker.topics import DEFAULT_PREFIX

CONFIG = Path(__file__).with_name("mosquitto.conf")
"""In a checkout a link to the file at the root, in an installation the file itself."""
LOOPBACK = "127.0.0.1"
_START_SECONDS = 10.0
_STOP_SECONDS = 10.0
_TIME = re.compile(r"^\d{4}-\d\d-\d\dT[\d:]+: ")
"""What mosquitto writes before each line of its log."""
_STEP_SECONDS = 0.01
_PORT_ATTEMPTS = 5
_LOG_BYTES = 5_000_000
"""A longer log is put aside at the next start, in the place of the one before it."""
_READY = " running"
"""What mosquitto says once it listens."""
_ELSEWHERE = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Where mosquitto is when PATH, as ordinary users have it, does not lead to it."""
_SERVICE_USER = "mosquitto"
"""Whom mosquitto becomes when root starts it."""


class TlsFiles(Struct, frozen=True, kw_only=True):
    """With what the broker proves who it is (PEM)."""

    certificate: Path
    key: Path


class AccessFiles(Struct, frozen=True, kw_only=True):
    """Who may log in, and who may do what (see ``broker.access``); with ``tls``, over TLS only."""

    passwords: Path
    rules: Path
    tls: TlsFiles | None = None

    @property
    def all(self) -> tuple[Path, ...]:
        """Every file that the broker reads."""
        tls = () if self.tls is None else (self.tls.certificate, self.tls.key)
        return (self.passwords, self.rules, *tls)


class RunningBroker(Struct, frozen=True, kw_only=True):
    """A mosquitto of ours that answers."""

    url: BrokerUrl
    """Without a user."""
    config: Path
    log: Path
    process: Process

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    async def ended(self) -> str:
        """Return once it has ended, for whatever reason, with what there is to say about it."""
        code = await self.process.wait()
        return f"the broker ended with {code}; its last words: {_last_line(self.log)}"

    def reload(self) -> None:
        """Let it read its access files again."""
        self.process.send_signal(signal.SIGHUP)


def find_mosquitto() -> str:
    """Where the program is; raises BusError that says how to install it."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_ELSEWHERE])
    found = shutil.which("mosquitto", path=path)
    if found is None:
        raise BusError(
            "mosquitto is not installed: apt install mosquitto (Debian), dnf install mosquitto (Fedora), ..."
        )
    return found


@asynccontextmanager
async def running_broker(
    folder: Path,
    *,
    port: int | None = None,
    host: str = LOOPBACK,
    access: AccessFiles | None = None,
    prefix: str = DEFAULT_PREFIX,
    lines: Sequence[str] = (),
) -> AsyncIterator[RunningBroker]:
    """Run a broker that keeps everything in ``folder``; only one at a time.

    ``port`` None: a free one. ``host`` empty: all addresses of this machine. ``access`` None: anybody may do anything, so only on
    the loopback address. ``lines``: more of mosquitto's configuration. Raises BusError when it cannot start, with what it said.
    """
    if access is None and host not in {LOOPBACK, "::1", "localhost"}:
        raise BusError(f"a broker without access rules may listen on the loopback address only, not on {host}")
    program = find_mosquitto()
    folder = _made(folder)
    with _alone(folder):
        await _end_orphan(folder)
        try:
            process, chosen = await _start(program, folder, host, port, _local_lines(folder, access, lines))
            tls = access is not None and access.tls is not None
            url = BrokerUrl(host=_reached_at(host), port=chosen, tls=tls, prefix=prefix)
            try:
                yield RunningBroker(url=url, config=_config(folder), log=_log(folder), process=process)
            finally:
                await _end(process)
        finally:
            _pid_file(folder).unlink(missing_ok=True)


def write_config(folder: Path, host: str, port: int, access: AccessFiles | None) -> Path:
    """Write the configuration in the folder, as ``running_broker`` would, for a mosquitto that somebody else starts."""
    folder = folder.resolve()
    _write_config(folder, host, port, _local_lines(folder, access, ()))
    return _config(folder)


def reload_running(folder: Path) -> bool:
    """Let the broker that ``running_broker`` runs in the folder read its access files again; False: none runs there."""
    pid = _orphan(folder.resolve())
    if pid is None:
        return False
    os.kill(pid, signal.SIGHUP)
    return True


def _write_config(folder: Path, host: str, port: int, local: Sequence[str]) -> None:
    own = [f"listener {port} {host}".rstrip(), *local]
    _config(folder).write_text("\n".join([CONFIG.read_text(encoding="utf-8"), *own, ""]), encoding="utf-8")


def _reached_at(host: str) -> str:
    """An address under which a broker answers that listens on ``host``."""
    return LOOPBACK if host in {"", "0.0.0.0", "::"} else host  # noqa: S104  # compared, not bound


def _config(folder: Path) -> Path:
    return folder / "mosquitto.conf"


def _log(folder: Path) -> Path:
    return folder / "mosquitto.log"


def _pid_file(folder: Path) -> Path:
    return folder / "mosquitto.pid"


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    log = _log(folder)
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".log.old"))
    return folder.resolve()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; raises BusError when another program has it. The system lets go of it when we die."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BusError(f"another program runs a broker in {folder}") from None
        yield


async def _end_orphan(folder: Path) -> None:
    """End the broker that a former owner of the folder left behind when it was killed."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _STOP_SECONDS
    order = signal.SIGTERM
    while (pid := _orphan(folder)) is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, order)
        await asyncio.sleep(_STEP_SECONDS)
        if loop.time() > deadline:
            order = signal.SIGKILL


def _orphan(folder: Path) -> int | None:
    """The process that the folder's pid file names, if it lives and runs on the folder's configuration."""
    try:
        pid = int(_pid_file(folder).read_text(encoding="ascii"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if str(_config(folder)).encode() in command else None


def _local_lines(folder: Path, access: AccessFiles | None, lines: Sequence[str]) -> list[str]:
    """What belongs to this place alone, besides the listener."""
    store = folder / "store"
    store.mkdir(mode=0o700, exist_ok=True)
    log = _log(folder)
    log.touch(mode=0o600)
    local = [f"persistence_location {store}/"]
    readable = () if access is None else access.all
    if os.geteuid() == 0:
        local.append(f"user {_hand_over(folder, [store, *store.iterdir(), *readable], readable)}")
    if access is None:
        local.append("allow_anonymous true")
    else:
        local += ["allow_anonymous false", f"password_file {access.passwords.resolve()}"]
        local.append(f"acl_file {access.rules.resolve()}")
    if access is not None and access.tls is not None:
        local += [f"certfile {access.tls.certificate.resolve()}", f"keyfile {access.tls.key.resolve()}"]
    return [*local, *lines]


def _hand_over(folder: Path, owned: Sequence[Path], readable: Sequence[Path]) -> str:
    """Give the service user what it needs, and return its name; ``root`` when it does not exist or cannot get there."""
    try:
        user = pwd.getpwnam(_SERVICE_USER)
    except KeyError:
        return "root"
    ways = {parent for path in (folder / "store", *readable) for parent in path.resolve().parents}
    if not all(way.stat().st_mode & 0o001 for way in ways):
        return "root"
    for path in owned:
        os.chown(path, user.pw_uid, user.pw_gid)
    return _SERVICE_USER


async def _start(program: str, folder: Path, host: str, port: int | None, local: Sequence[str]) -> tuple[Process, int]:
    """Start on the given port, or on a free one: another, if somebody takes that from under us. Waits until it answers."""
    attempts = _PORT_ATTEMPTS if port is None else 1
    for left in reversed(range(attempts)):
        chosen = free_port(host) if port is None else port
        _write_config(folder, host, chosen, local)
        with _log(folder).open("ab") as log:
            before = log.tell()
            # In a session of its own: Ctrl-C is for us, and the broker ends after the nodes.
            process = await asyncio.create_subprocess_exec(
                program, "-c", str(_config(folder)), stdout=log, stderr=log, start_new_session=True
            )
        _pid_file(folder).write_text(str(process.pid), encoding="ascii")
        try:
            await _until_it_answers(process, _reached_at(host), chosen, _log(folder), before)
        except BusError as error:
            await _end(process)
            if left and "in use" in str(error):
                continue
            raise
        except BaseException:
            await _end(process)
            raise
        return process, chosen
    raise AssertionError("the last attempt returns or raises")


async def _until_it_answers(process: Process, host: str, port: int, log: Path, before: int) -> None:
    """Wait until it listens, and accepts a connection. ``before``: length of the log when it was started.

    Both, since on a port that somebody else has it would be that one who accepts. Raises BusError when it ends instead, or takes
    too long.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _START_SECONDS
    while process.returncode is None:
        if _READY in _said(log, before) and await _accepts(host, port):
            return
        if loop.time() > deadline:
            raise BusError(f"the broker does not answer on port {port}; it said: {_complaint(_said(log, before))}")
        await asyncio.sleep(_STEP_SECONDS)
    raise BusError(f"the broker did not start on {host}:{port}: {_complaint(_said(log, before))}")


def _said(log: Path, before: int) -> str:
    with log.open("rb") as file:
        file.seek(before)
        return file.read().decode(errors="replace")


def _complaint(said: str) -> str:
    """The first line that complains, without its time; else all."""
    lines = [line for line in said.splitlines() if "rror" in line or "nable" in line]
    return _TIME.sub("", lines[0]) if lines else said.strip() or "nothing"


def _last_line(log: Path) -> str:
    return ([line for line in _said(log, 0).splitlines() if line.strip()] or ["none"])[-1]


async def _accepts(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def _end(process: Process) -> None:
    """Ask the broker to save and end; kill it when it does not, or when we are not given the time."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
    except BaseException:
        process.kill()
        await process.wait()
        raise
