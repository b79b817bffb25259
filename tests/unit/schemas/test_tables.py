"""Settings of a table: what is wrong is one line that says where it stands, in the words of the file."""

from __future__ import annotations

from enum import StrEnum

import pytest
from msgspec import Struct

from schemas.shapes import Place
from schemas.tables import SettingError, Table


class Fate(StrEnum):
    """One of two."""

    KEEP = "keep"
    DROP = "drop"


class Inner(Struct, frozen=True, kw_only=True, rename="kebab"):
    """A table within."""

    url: str
    ports: tuple[int, ...] = ()


class Outer(Struct, frozen=True, kw_only=True, rename="kebab"):
    """Something of every kind."""

    slots: int = 1
    half: float = 0.5
    dry_run: bool = False
    fate: Fate = Fate.KEEP
    hooks: dict[str, Inner] = {}
    limits: dict[str, int] = {}


def read(values: dict[str, object], outranked: dict[Place, str] | None = None) -> Outer:
    """Of the table [agent] of a file."""
    return Table(name="agent", values=values, file="jobplan.toml", outranked=outranked or {}).read(Outer)


def test_what_fits_is_read() -> None:
    """Numbers and true or false may be texts, as variables have them; what is left out is as by default."""
    found = read({"slots": "4", "half": 1, "dry-run": "true", "hooks": {"a": {"url": "x", "ports": [1]}}})

    assert found == Outer(slots=4, half=1.0, dry_run=True, hooks={"a": Inner(url="x", ports=(1,))})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"slots": "many"}, "[agent] slots: 'many' where a whole number belongs"),
        ({"slots": True}, "[agent] slots: True where a whole number belongs"),
        ({"half": [1]}, "[agent] half: a list where a number belongs"),
        ({"dry-run": "perhaps"}, "[agent] dry-run: 'perhaps' where true or false belongs"),
        ({"fate": "burn"}, "[agent] fate: 'burn' is not one of keep, drop"),
        ({"hooks": 3}, "[agent] hooks: 3 where a table belongs"),
        ({"hooks": {"a": {}}}, "[agent.hooks] a: 'url' is missing; it cannot be left out"),
        ({"hooks": {"a": {"url": {}}}}, "[agent.hooks.a] url: a table where a text belongs"),
        ({"hooks": {"a": {"url": "x", "ports": [1, "b"]}}}, "[agent.hooks.a] ports, item 2: 'b' where a whole"),
        ({"limits": {"db": "x"}}, "[agent.limits] db: 'x' where a whole number belongs"),
        ({"slot": 3}, "[agent] slot: unknown key; did you mean 'slots'?"),
        ({"zzz": 3}, "[agent] zzz: unknown key; there are slots, half, dry-run, fate, hooks, limits"),
        ({"hooks": {"a": {"url": "x", "uri": "y"}}}, "[agent.hooks.a] uri: unknown key; did you mean 'url'?"),
    ],
)
def test_what_does_not_fit_is_said_where_it_stands(values: dict[str, object], said: str) -> None:
    """File, table, key; what is wrong; what belongs there."""
    with pytest.raises(SettingError) as error:
        read(values)

    assert str(error.value).startswith(f"jobplan.toml: {said}")


def test_what_outranks_the_file_is_named_instead() -> None:
    """Also for what stands below it."""
    outranked: dict[Place, str] = {("slots",): "JOBPLAN_SLOTS", ("hooks", "env"): "JOBPLAN_HOOK"}
    cases: list[tuple[dict[str, object], str]] = [
        ({"slots": "x"}, "JOBPLAN_SLOTS: 'x' where a whole number belongs"),
        ({"hooks": {"env": {"url": []}}}, "JOBPLAN_HOOK: a list where a text belongs"),
        ({"hooks": {"other": {"url": []}}}, "jobplan.toml: [agent.hooks.other] url: a list where a text belongs"),
    ]
    for values, said in cases:
        with pytest.raises(SettingError) as error:
            read(values, outranked)

        assert str(error.value) == said


def test_without_a_file_or_a_table_less_is_named() -> None:
    """The key at least."""
    with pytest.raises(SettingError) as bare:
        Table(name="", values={"slots": "x"}).read(Outer)

    assert str(bare.value) == "slots: 'x' where a whole number belongs"
