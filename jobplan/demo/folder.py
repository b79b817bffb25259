"""The demo's folder: one settings file a node and one for the operator, each with its own random password."""

from __future__ import annotations

import secrets
import shutil
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from broker.address import BrokerUrl
from jobplan.errors import BadInputError

HOST: Final = "127.0.0.1"
OPERATOR: Final = "operator"
DASHBOARD: Final = "dashboard"


class Account(Struct, frozen=True, kw_only=True):
    """A user of the broker."""

    user: str
    password: str


class DemoFolder(Struct, frozen=True, kw_only=True):
    """Where everything of one demo is."""

    path: Path
    temporary: bool
    port: int
    operator: Account
    dashboard: Account
    agents: dict[str, Account]

    @property
    def inbox(self) -> Path:
        """Where the sample plan looks for files."""
        return self.path / "inbox"

    def url(self, account: Account) -> BrokerUrl:
        """The broker's address for a user."""
        return BrokerUrl(host=HOST, port=self.port, user=account.user, password=account.password)

    def settings_file(self, name: str) -> Path:
        """The settings of one node, or of the operator."""
        return self.path / f"{name}.toml"

    def log(self, name: str) -> Path:
        """What a node says."""
        return self.path / "logs" / f"{name}.log"

    def remove(self) -> None:
        """Take it away, if nobody named it."""
        if self.temporary:
            shutil.rmtree(self.path, ignore_errors=True)


def make_folder(where: Path | None, agents: Sequence[str]) -> DemoFolder:
    """A folder with settings files that nobody else can read. Raises BadInputError."""
    try:
        if where is not None:
            where.mkdir(parents=True, exist_ok=True)
        path = where.resolve() if where is not None else Path(tempfile.mkdtemp(prefix="jobplan-demo-"))
        for inside in ("logs", "inbox"):
            (path / inside).mkdir(exist_ok=True)
    except OSError as error:
        raise BadInputError(f"--data {where}: {error.strerror}; give a folder that can be written") from error
    folder = DemoFolder(
        path=path,
        temporary=where is None,
        port=free_port(),
        operator=_account(OPERATOR),
        dashboard=_account(DASHBOARD),
        agents={agent: _account(agent) for agent in agents},
    )
    _write_settings(folder, "jobplan", folder.operator)
    _write_settings(folder, DASHBOARD, folder.dashboard)
    for agent, account in folder.agents.items():
        _write_settings(folder, agent_file(agent), account)
    return folder


def agent_file(agent: str) -> str:
    """The name of an agent's settings file, whatever the agent is called."""
    from schemas.names import escape

    return f"agent-{escape(agent)}"


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _account(user: str) -> Account:
    return Account(user=user, password=secrets.token_urlsafe(18))


def _write_settings(folder: DemoFolder, name: str, account: Account) -> None:
    file = folder.settings_file(name)
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    text = f'# Settings of the demo for {account.user}; use with --config {file}\nbroker = "{folder.url(account).full()}"\n'
    file.write_text(text + f'data = "{folder.path.as_posix()}"\n', "utf-8")
