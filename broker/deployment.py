"""A broker's deployment in one folder: configuration, certificates, users and access rules, ready for mosquitto.

What is decided stands in ``deployment.json`` (names, not passwords); the rest is made from it. Passwords are generated, handed
out once, and kept only as mosquitto keeps them. Who prints them, and to whom, is not known here.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from broker.access import (
    DASHBOARD_USER,
    access_rules,
    agent_user,
    check_person,
    hash_password,
    read_passwords,
    write_passwords,
    write_private,
)
from broker.address import BrokerUrl
from broker.errors import TopicError
from broker.server import AccessFiles, TlsFiles, write_config
from broker.topics import DEFAULT_PREFIX, check_prefix
from schemas.names import NodeName, UserName
from schemas.near import unknown

_RECORD = "deployment.json"
_KEPT = "before"
_PASSWORD_BYTES = 18


class DeploymentError(Exception):
    """A folder or a name that cannot be used so; one line for an operator."""


class Deployment(Struct, frozen=True, kw_only=True, rename="camel"):
    """What was decided: where the broker listens, under which names it is reached, who its users are."""

    hosts: tuple[str, ...]
    """Names and addresses under which it is reached; the certificate is for these. The first one is in the users' addresses."""
    port: int = 8883
    listen: str = ""
    """The address it listens on; empty: all of this machine's."""
    prefix: str = DEFAULT_PREFIX
    agents: tuple[NodeName, ...] = ()
    admins: tuple[UserName, ...] = ()
    """People who act; the dashboard has to be told that they are its admins."""
    operators: tuple[UserName, ...] = ()
    viewers: tuple[UserName, ...] = ()

    @property
    def users(self) -> tuple[str, ...]:
        """Everybody who may log in."""
        return (DASHBOARD_USER, *(agent_user(agent) for agent in self.agents), *self.acting, *self.viewers)

    @property
    def acting(self) -> tuple[UserName, ...]:
        """People who may ask for something; what they are then allowed is the dashboard's business."""
        return (*self.admins, *self.operators)

    def validated(self) -> Deployment:
        """It, if it can be. Raises DeploymentError or AccessError."""
        if not self.hosts:
            raise DeploymentError("a name or address is wanted under which the broker is reached")
        try:
            check_prefix(self.prefix)
        except TopicError as error:
            raise DeploymentError(str(error)) from error
        for person in (*self.acting, *self.viewers):
            check_person(person)
        doubled = sorted({user for user in self.users if self.users.count(user) > 1})
        if doubled:
            raise DeploymentError(
                f"'{doubled[0]}' would be there twice: each user is an agent, an admin, an operator or a viewer, once;"
                " for another password or part remove it first (jobplan broker remove-user)"
            )
        return self

    def url(self, user: str, password: str) -> BrokerUrl:
        """The address of the broker for a user."""
        return BrokerUrl(host=self.hosts[0], port=self.port, tls=True, user=user, password=password, prefix=self.prefix)


class Folder:
    """The files of one deployment."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.authority = self.path / "ca.pem"
        """What clients have to trust; no secret."""
        self.tls = TlsFiles(certificate=self.path / "server.pem", key=self.path / "server.key")
        self.access = AccessFiles(passwords=self.path / "passwords", rules=self.path / "rules", tls=self.tls)
        self._record = self.path / _RECORD

    @property
    def exists(self) -> bool:
        """Whether there is a deployment."""
        return self._record.exists()

    def read(self) -> Deployment:
        """The deployment. Raises DeploymentError."""
        try:
            return msgspec.json.decode(self._record.read_bytes(), type=Deployment)
        except FileNotFoundError:
            raise DeploymentError(
                f"{self.path} holds no deployment; 'jobplan broker init {self.path}' makes one"
            ) from None
        except (OSError, msgspec.MsgspecError) as error:
            raise DeploymentError(f"{self._record} cannot be read: {error}") from error

    def make(self, deployment: Deployment, now: datetime, *, force: bool = False) -> dict[str, str]:
        """Make everything new; the passwords by user, which nobody can tell a second time.

        Raises DeploymentError if there is a deployment already. ``force``: its files are put aside, nothing of it is deleted, and
        what the broker retains stays where it is.
        """
        deployment = deployment.validated()
        if self.exists and not force:
            raise DeploymentError(
                f"{self.path} holds a deployment already: add to it with 'broker add-agent' and 'broker add-user'; with --force"
                " everything is made anew, and everybody needs the new certificate and a new password"
            )
        from broker.certificates import make_certificates  # noqa: PLC0415  # slow to load, and rarely needed

        self.path.mkdir(parents=True, exist_ok=True, mode=0o755)
        self._put_aside()
        made = make_certificates(deployment.hosts, now)
        self.authority.write_text(made.authority, encoding="ascii")
        write_private(self.path / "ca.key", made.authority_key)
        write_private(self.tls.key, made.server_key)
        write_private(self.tls.certificate, made.server)
        passwords = {user: secrets.token_urlsafe(_PASSWORD_BYTES) for user in deployment.users}
        self._write(deployment, {user: hash_password(password) for user, password in passwords.items()})
        return passwords

    def add(
        self,
        *,
        agents: Sequence[str] = (),
        admins: Sequence[str] = (),
        operators: Sequence[str] = (),
        viewers: Sequence[str] = (),
    ) -> dict[str, str]:
        """Add users; their passwords by user. Raises DeploymentError or AccessError, and then nothing has changed."""
        before = self.read()
        after = msgspec.structs.replace(
            before,
            agents=(*before.agents, *(NodeName(name) for name in agents)),
            admins=(*before.admins, *(UserName(name) for name in admins)),
            operators=(*before.operators, *(UserName(name) for name in operators)),
            viewers=(*before.viewers, *(UserName(name) for name in viewers)),
        ).validated()
        passwords = {user: secrets.token_urlsafe(_PASSWORD_BYTES) for user in after.users if user not in before.users}
        hashed = read_passwords(self.access.passwords)
        self._write(after, hashed | {user: hash_password(password) for user, password in passwords.items()})
        return passwords

    def remove(self, user: str) -> None:
        """Remove an agent's user or a person. Raises DeploymentError."""
        before = self.read()
        if user not in before.users or user == DASHBOARD_USER:
            raise DeploymentError(unknown("user", user, (one for one in before.users if one != DASHBOARD_USER)))
        after = msgspec.structs.replace(
            before,
            agents=tuple(agent for agent in before.agents if agent_user(agent) != user),
            admins=tuple(name for name in before.admins if name != user),
            operators=tuple(name for name in before.operators if name != user),
            viewers=tuple(name for name in before.viewers if name != user),
        )
        hashed = read_passwords(self.access.passwords)
        self._write(after, {name: value for name, value in hashed.items() if name != user})

    def _write(self, deployment: Deployment, hashed: dict[str, str]) -> None:
        """Rules before passwords: nobody is let in for whom there are no rules. The record last: it says that all is there."""
        rules = access_rules(
            agents=deployment.agents,
            people=deployment.acting,
            viewers=deployment.viewers,
            prefix=deployment.prefix,
        )
        write_private(self.access.rules, rules)
        write_passwords(self.access.passwords, hashed)
        write_config(self.path, deployment.listen, deployment.port, self.access)
        write_private(self._record, msgspec.json.format(msgspec.json.encode(deployment), indent=2).decode() + "\n")

    def _put_aside(self) -> None:
        """What an earlier deployment left, but for what the broker retains, goes into a folder of its own."""
        files = (self._record, self.authority, self.path / "ca.key", self.path / "mosquitto.conf", *self.access.all)
        found = [file for file in files if file.exists()]
        if not found:
            return
        number = 1 + sum(1 for _ in self.path.glob(f"{_KEPT}-*"))
        aside = self.path / f"{_KEPT}-{number}"
        aside.mkdir(mode=0o700)
        for file in found:
            file.rename(aside / file.name)
