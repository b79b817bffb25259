"""The demo's folder: one settings file a node and one for the operator, each with its own random password."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from broker.access import (
    DASHBOARD_USER,
    AccessError,
    access_rules,
    agent_user,
    hash_password,
    write_passwords,
    write_private,
)
from broker.address import BrokerUrl
from broker.ports import free_port
from jobplan.errors import BadInputError
from schemas.names import NodeName, UserName, escape

HOST: Final = "127.0.0.1"
OPERATOR: Final = "operator"
DASHBOARD: Final = "dashboard"
OPERATOR_FILE: Final = "jobplan"


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
        accounts = {agent: _account(agent_user(NodeName(agent))) for agent in agents}
    except AccessError as error:
        raise BadInputError(str(error)) from error
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
        dashboard=_account(DASHBOARD_USER),
        agents=accounts,
    )
    _write_access(folder)
    _write_settings(folder, OPERATOR_FILE, folder.operator)
    _write_settings(folder, DASHBOARD, folder.dashboard)
    for agent, account in folder.agents.items():
        _write_settings(folder, agent_file(agent), account)
    return folder


def agent_file(agent: str) -> str:
    """The name of an agent's settings file, whatever the agent is called."""
    return f"agent-{escape(agent)}"


def _account(user: str) -> Account:
    return Account(user=user, password=secrets.token_urlsafe(18))


def _write_access(folder: DemoFolder) -> None:
    """Who may log in to the broker, and who may do what there."""
    broker = folder.path / "broker"
    broker.mkdir(exist_ok=True)
    everybody = (folder.operator, folder.dashboard, *folder.agents.values())
    write_passwords(broker / "passwords", {one.user: hash_password(one.password) for one in everybody})
    agents = [NodeName(agent) for agent in folder.agents]
    write_private(broker / "rules", access_rules(agents=agents, people=[UserName(folder.operator.user)]))


def _write_settings(folder: DemoFolder, name: str, account: Account) -> None:
    file = folder.settings_file(name)
    text = f'# Settings of the demo for {account.user}; use with --config {file}\nbroker = "{folder.url(account).full()}"\n'
    write_private(file, text + f'data = "{folder.path.as_posix()}"\n')
