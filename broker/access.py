"""Who may log in to the broker, and who may write and read which topic there: mosquitto's two files, as text.

The access rules are made from the table of topics: what that says of writers and readers is what the broker enforces. Each
user gets rules of its own, with its own name in the place of ``{user}`` or ``{agent}``; so a name may hold any letter that a
topic level may, escaped, and an agent gets none of what people may.

Users are called ``dashboard``, ``agent-NAME`` (NAME percent-encoded like a topic level) for agents, and people as they like, but
neither of those. A viewer may look at everything and ask for nothing; which of the others may do what is the dashboard's
business, not the broker's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from broker.topic_table import TABLE, Role, Row, filter_of
from broker.topics import DASHBOARD, DEFAULT_PREFIX, check_prefix
from schemas.names import NodeName, UserName, escape

DASHBOARD_USER = "dashboard"
_AGENT_USER = "agent-"
_COUNTERS = "topic read $SYS/broker/#"
"""The broker's own; one of them tells when it dropped a message, which the doctor looks at for whoever asks it."""
_ROUNDS = 10_000
"""Of PBKDF2: a few milliseconds of the broker's time at each login."""
_SALT_BYTES = 12


class AccessError(ValueError):
    """A name that no user of the broker may have, or a password file that is none; one line for an operator."""


def agent_user(agent: NodeName) -> str:
    """The user as which an agent logs in. Raises AccessError for a name that is the dashboard's."""
    if agent == DASHBOARD:
        raise AccessError(f"no agent may be called '{DASHBOARD}': answers under that name are the dashboard's")
    return _AGENT_USER + escape(agent)


def check_person(user: str) -> UserName:
    """The name, if a person may have it; raises AccessError."""
    if user == DASHBOARD_USER or user.startswith(_AGENT_USER):
        raise AccessError(f"user '{user}': '{DASHBOARD_USER}' and '{_AGENT_USER}...' are names of nodes, not of people")
    # A colon ends the name in the password file; the rest mosquitto refuses in names, or reads as wildcards.
    if not user or not user.isprintable() or any(mark in user for mark in " :+#/"):
        raise AccessError(f"user '{user}': a name has letters, digits and marks, but no space and none of : + # /")
    return UserName(user)


def access_rules(
    *,
    agents: Iterable[NodeName],
    people: Iterable[UserName],
    viewers: Iterable[UserName] = (),
    prefix: str = DEFAULT_PREFIX,
) -> str:
    """The text of an ``acl_file``; ``viewers``: people who may ask for nothing. Raises AccessError for a name that may not be."""
    check_prefix(prefix)
    parts = [
        "# Made by jobplan from its table of topics; it is written anew when users change.",
        _rules(prefix, DASHBOARD_USER, Role.DASHBOARD, {"node": DASHBOARD}),
        # Where `jobplan broker check` tries things out: the dashboard's, so that everybody else is a second user.
        f"user {DASHBOARD_USER}\ntopic readwrite {prefix}/_check/#",
        *(
            _rules(prefix, agent_user(agent), Role.AGENT, {"agent": escape(agent), "node": escape(agent)})
            for agent in sorted(agents)
        ),
        *(_rules(prefix, check_person(user), Role.PERSON, {"user": escape(user)}) for user in sorted(people)),
        *(
            _rules(prefix, check_person(user), Role.PERSON, {"user": escape(user)}, looks=True)
            for user in sorted(viewers)
        ),
        "\n".join(
            f"pattern readwrite {prefix}/{filter_of(row.pattern, client='%c')}"
            for row in TABLE
            if row.writer is Role.CLIENT
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _rules(prefix: str, user: str, role: Role, known: Mapping[str, str], *, looks: bool = False) -> str:
    """``looks``: nothing that would let the user write."""
    lines = (
        f"topic {may} {prefix}/{filter_of(row.pattern, **known)}"
        for row in TABLE
        for may in _may(role, row)
        if may == "read" or not looks
    )
    return "\n".join([f"user {user}", *lines, *([_COUNTERS] if role is not Role.AGENT else [])])


def _may(role: Role, row: Row) -> Iterator[str]:
    """What a role may do with the topics of a row: nothing, or one word of mosquitto's."""
    answers = row.writer is Role.ANSWERER and role in {Role.DASHBOARD, Role.AGENT}
    writes = row.writer is role or answers
    reads = role in row.readers or (writes and row.retained)
    if reads or writes:
        yield "readwrite" if reads and writes else "write" if writes else "read"


def hash_password(password: str) -> str:
    """A password as mosquitto keeps it (2.0 and newer): PBKDF2 with SHA-512 and a salt."""
    return _hash(password, secrets.token_bytes(_SALT_BYTES), _ROUNDS)


def is_password(password: str, hashed: str) -> bool:
    """Whether ``hashed`` was made from this password; False, too, for one hashed in another way."""
    match hashed.split("$"):
        case ["", "7", rounds, salt, _] if rounds.isdigit():
            return hmac.compare_digest(_hash(password, base64.b64decode(salt), int(rounds)), hashed)
        case _:
            return False


def _hash(password: str, salt: bytes, rounds: int) -> str:
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
    return f"$7${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def read_passwords(file: Path) -> dict[str, str]:
    """Hashed passwords by user, from a ``password_file``; empty when there is none. Raises AccessError."""
    if not file.exists():
        return {}
    pairs = [line.partition(":") for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not all(user and hashed.startswith("$") for user, _, hashed in pairs):
        raise AccessError(f"{file} is not a password file of mosquitto")
    return {user: hashed for user, _, hashed in pairs}


def write_passwords(file: Path, hashed: Mapping[str, str]) -> None:
    """Write a ``password_file`` from hashed passwords by user."""
    write_private(file, "".join(f"{user}:{value}\n" for user, value in sorted(hashed.items())))


def write_private(file: Path, text: str) -> None:
    """Put ``text`` in the place of the file, whole or not at all, for its present owner alone to read."""
    # Made beside the file, for nobody else to read from the start; an owner it was given before, it keeps.
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as new:
            new.write(text)
        if os.geteuid() == 0 and file.exists():
            os.chown(name, file.stat().st_uid, file.stat().st_gid)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
