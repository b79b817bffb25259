"""mosquitto enforces the table of topics: each role can do exactly its part."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.access import access_rules, agent_user, hash_password, is_password, read_passwords, write_passwords
from broker.address import BrokerUrl
from broker.bus import Publication, Session
from broker.errors import RefusedError
from broker.mqtt.bus import MqttBus
from broker.topic_table import TABLE, Role
from schemas.names import NodeName, UserName, escape
from tests.support.broker_under_test import PATIENCE, Box
from tests.support.mosquitto import Mosquitto, running_mosquitto

PREFIX = "test/access"
AGENT, OTHER_AGENT = NodeName("höst 1.x"), NodeName("other")
PERSON, OTHER_PERSON = UserName("anna@x.org"), UserName("bob")
VIEWER = UserName("carl")
USERS = {"dashboard": Role.DASHBOARD, agent_user(AGENT): Role.AGENT, PERSON: Role.PERSON}
CLIENT = "client 1"
SYNC = f"_sync/{escape(CLIENT)}"
MARK = f"{SYNC}/x"
AGAIN = f"_again/{escape(CLIENT)}"


def _password(user: str) -> str:
    return f"pass:wörd of {user}"


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker with our access rules for a dashboard, two agents and two people."""
    users = ["dashboard", agent_user(AGENT), agent_user(OTHER_AGENT), PERSON, OTHER_PERSON, VIEWER, "root"]
    passwords, rules = tmp_path / "passwords", tmp_path / "rules"
    write_passwords(passwords, {user: hash_password(_password(user)) for user in users})
    people = [PERSON, OTHER_PERSON]
    text = access_rules(agents=[AGENT, OTHER_AGENT], people=people, viewers=[VIEWER], prefix=PREFIX)
    rules.write_text(f"{text}\nuser root\ntopic readwrite #\n", encoding="utf-8")
    with running_mosquitto(tmp_path / "broker", f"password_file {passwords}", f"acl_file {rules}") as broker:
        yield broker


def _bus(broker: Mosquitto, user: str) -> MqttBus:
    url = BrokerUrl(host=broker.host, port=broker.port, user=user, password=_password(user), prefix=PREFIX)
    return MqttBus(url, patience=PATIENCE)


def _topics() -> dict[str, tuple[str, bool]]:
    """For each pattern of the table, filled with our own names and with others': the pattern, and whether the names are ours."""
    own = {"agent": escape(AGENT), "user": escape(PERSON), "client": escape(CLIENT)}
    other = {"agent": escape(OTHER_AGENT), "user": escape(OTHER_PERSON), "client": "other"}
    topics: dict[str, tuple[str, bool]] = {}
    for row in TABLE:
        for names, ours in ((other, False), (own, True)):
            for node in ("dashboard", names["agent"]):
                parts = [
                    (names | {"node": node}).get(level[1:-1], "x") if level.startswith("{") else level
                    for level in row.pattern.split("/")
                ]
                topics["/".join(parts)] = (row.pattern, ours)
    return topics


def _may(role: Role, topic: str) -> tuple[bool, bool]:  # noqa: PLR0911  # one line a kind of topic
    """Whether a role with our names may publish on a topic, and whether it may read it. Said here once more, by hand."""
    agent, person, client = escape(AGENT), escape(PERSON), escape(CLIENT)
    level = topic.split("/")
    match level:
        case ["_sync", name, *_]:
            return name == client, name == client
        case ["_again", name]:
            return name == client, name == client or role is not Role.PERSON
        case ["request", user, _]:
            return role is Role.PERSON and user == person, role is Role.DASHBOARD
        case ["agent", name, "request", user, _]:
            return role is Role.PERSON and user == person, role is Role.AGENT and name == agent
        case ["response", user, _, node, _]:
            answers = (role is Role.DASHBOARD and node == "dashboard") or (role is Role.AGENT and node == agent)
            return answers, role is Role.PERSON and user == person
        case ["agent", name, "presence" | "report", *_]:
            return role is Role.AGENT and name == agent, role is not Role.AGENT or name == agent
        case ["agent", name, *_]:
            return role is Role.DASHBOARD, role is not Role.AGENT or name == agent
        case ["notification", _]:
            return role is Role.DASHBOARD, role is Role.PERSON
        case ["dashboard", "presence"]:
            return role is Role.DASHBOARD, True
        case _:
            return role is Role.DASHBOARD, role is not Role.AGENT


async def _writable(session: Session, topics: list[str], payload: bytes) -> set[str]:
    """On which topics a session may publish."""
    done = set()
    for topic in topics:
        try:
            await session.publish([Publication(f"{PREFIX}/{topic}", payload, retain=False)])
        except RefusedError:
            continue
        done.add(topic)
    return done


async def _tried(broker: Mosquitto, user: str) -> tuple[set[str], set[str]]:
    """The topics on which a user could write, and those that it could read."""
    topics = list(_topics())
    box = Box()
    async with (
        _bus(broker, "root").connect(client="root", will=None, on_delivery=Box()) as root,
        _bus(broker, user).connect(client=CLIENT, will=None, on_delivery=box) as session,
    ):
        wrote = await _writable(session, topics, b"by the user")
        # The bus keeps what comes on its own _sync topic to itself: that it is readable, this returning shows.
        await session.subscribe([f"{PREFIX}/#"])
        await root.publish([Publication(f"{PREFIX}/{topic}", b"by root", retain=False) for topic in topics])
        await session.subscribe([f"{PREFIX}/dashboard/presence"])
    read = {delivery.topic.removeprefix(PREFIX + "/") for delivery in box.deliveries if delivery.payload == b"by root"}
    return wrote, read | {SYNC}


@pytest.mark.parametrize("user", USERS)
async def test_role_may_do_exactly_its_part(guarded: Mosquitto, user: str) -> None:
    """On every kind of topic, with its own names and with others', a user writes and reads what the table gives its role."""
    wrote, read = await _tried(guarded, user)

    role = USERS[user]
    assert wrote == {topic for topic in _topics() if _may(role, topic)[0]}
    assert read == {topic for topic in _topics() if _may(role, topic)[1]}


async def test_viewer_reads_as_a_person_and_asks_for_nothing(guarded: Mosquitto) -> None:
    """What is shown to people is shown to it, others' answers excepted; it writes only what its own replays need."""
    wrote, read = await _tried(guarded, VIEWER)

    assert wrote == {SYNC, MARK, AGAIN}
    assert read == {topic for topic in _topics() if _may(Role.PERSON, topic)[1] and not topic.startswith("response/")}


async def test_outside_our_prefix_nobody_may_do_anything(guarded: Mosquitto) -> None:
    """The rules give nothing beyond the table's topics."""
    for user in USERS:
        async with _bus(guarded, user).connect(client=CLIENT, will=None, on_delivery=Box()) as session:
            for topic in ("x", f"{PREFIX}/x", "$SYS/x", "jobplan/v1/plan/x"):
                with pytest.raises(RefusedError):
                    await session.publish([Publication(topic, b"1")])


async def test_who_looks_after_it_all_hears_of_dropped_messages(guarded: Mosquitto) -> None:
    """The broker's own counters are for the dashboard and for people, viewers too; not for agents."""
    counter = "$SYS/broker/uptime"
    for user in (*USERS, VIEWER):
        box = Box()
        async with _bus(guarded, user).connect(client=CLIENT, will=None, on_delivery=box) as session:
            await session.subscribe([counter])

        assert list(box.newest) == ([counter] if user != agent_user(AGENT) else [])


async def test_passwords_are_what_mosquitto_takes(guarded: Mosquitto) -> None:
    """The right password logs in, another does not."""
    url = BrokerUrl(host=guarded.host, port=guarded.port, user=PERSON, password="x", prefix=PREFIX)  # noqa: S106  # wrong
    with pytest.raises(RefusedError, match="anna"):
        async with MqttBus(url).connect(client="a", will=None, on_delivery=Box()):
            pass

    async with _bus(guarded, PERSON).connect(client="a", will=None, on_delivery=Box()):
        pass


def test_passwords_of_mosquitto_are_what_we_take(tmp_path: Path) -> None:
    """What mosquitto_passwd writes we read, and tell the right password from a wrong one."""
    program = shutil.which("mosquitto_passwd")
    assert program is not None, "it comes with mosquitto"
    file = tmp_path / "passwords"
    subprocess.run([program, "-b", "-c", str(file), "bob", "pass:word"], check=True, capture_output=True, timeout=10)

    hashed = read_passwords(file)["bob"]
    assert is_password("pass:word", hashed)
    assert not is_password("password", hashed)
