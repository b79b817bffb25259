"""Users, passwords and access rules, as text; that a broker enforces them, the contract shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.access import (
    AccessError,
    access_rules,
    agent_user,
    check_person,
    hash_password,
    is_password,
    read_passwords,
    write_passwords,
    write_private,
)
from schemas.names import NodeName, UserName


def test_agents_and_people_cannot_have_the_same_user() -> None:
    """An agent's user is made from its name; people may not be called like one, nor like the dashboard."""
    assert agent_user(NodeName("a b")) == "agent-a%20b"
    assert check_person("anna@x.org") == "anna@x.org"
    for name in ("dashboard", "agent-x", "agent-", "", "a b", "a:b", "a+b", "a#", "a/b", "a\nb"):
        with pytest.raises(AccessError):
            check_person(name)
    with pytest.raises(AccessError, match="dashboard"):
        agent_user(NodeName("dashboard"))


def test_rules_give_a_person_their_own_requests_only() -> None:
    """A person's part of the rules, whole lines: writes requests under its own name, reads its own answers."""
    text = access_rules(agents=[NodeName("n")], people=[UserName("a.b")], prefix="p")
    part = text.partition("user a.b\n")[2].partition("\n\n")[0].splitlines()

    assert [line for line in part if "write" in line] == [
        "topic write p/request/a%2Eb/+",
        "topic write p/agent/+/request/a%2Eb/+",
    ]
    assert [line for line in part if "response" in line] == ["topic read p/response/a%2Eb/+/+/+"]
    assert text.endswith(
        "\npattern readwrite p/_sync/%c\npattern readwrite p/_sync/%c/+\npattern readwrite p/_again/%c\n"
    )


def test_rules_do_not_depend_on_the_order_of_names() -> None:
    """The same users give the same text, so it is known when nothing has changed."""
    one = access_rules(agents=[NodeName("a"), NodeName("b")], people=[UserName("c"), UserName("d")])
    other = access_rules(agents=[NodeName("b"), NodeName("a")], people=[UserName("d"), UserName("c")])

    assert one == other


def test_bad_names_make_no_rules() -> None:
    """A name that could smuggle a rule in is refused."""
    with pytest.raises(AccessError):
        access_rules(agents=[], people=[UserName("x\ntopic readwrite #")])


def test_password_is_known_by_its_hash() -> None:
    """The same password is hashed differently each time, and told from another."""
    one, other = hash_password("sécret"), hash_password("sécret")

    assert one != other
    assert is_password("sécret", one)
    assert not is_password("secret", one)
    assert not is_password("sécret", "$6$salt$hash")


def test_password_file_is_private_and_comes_back(tmp_path: Path) -> None:
    """What is written is read again; only the owner can, and nothing else is left in the folder."""
    file = tmp_path / "passwords"
    assert read_passwords(file) == {}
    hashed = {"b": hash_password("x"), "a": hash_password("y")}
    write_passwords(file, hashed)
    write_passwords(file, hashed)

    assert read_passwords(file) == hashed
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_other_file_is_no_password_file(tmp_path: Path) -> None:
    """A file with plain passwords, or something else, is refused by name."""
    file = tmp_path / "passwords"
    file.write_text("user:password\n", encoding="utf-8")

    with pytest.raises(AccessError, match="passwords"):
        read_passwords(file)


def test_failed_writing_leaves_the_old_file(tmp_path: Path) -> None:
    """What cannot be put in its place leaves no half of it behind."""
    folder = tmp_path / "taken"
    folder.mkdir()
    (folder / "x").touch()

    with pytest.raises(OSError, match="taken"):
        write_private(folder, "text")
    assert list(tmp_path.iterdir()) == [folder]
