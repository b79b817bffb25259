"""What is said of a name that nothing has."""

from __future__ import annotations

import pytest

from schemas.near import listed, nearest, unknown


@pytest.mark.parametrize(
    ("name", "names", "meant"),
    [
        ("Nihgtly", ["Daily", "Nightly"], "Nightly"),
        ("nightly", ["Nightly"], "Nightly"),
        ("Q", ["P"], ""),
        ("Nihgtly", [], ""),
        ("n1", [f"n{number:05}" for number in range(1001)], ""),
    ],
)
def test_the_nearest_name(name: str, names: list[str], meant: str) -> None:
    """In whatever case; none where none is alike, or where there are so many that looking takes its time."""
    assert nearest(name, names) == meant


@pytest.mark.parametrize(
    ("known", "see", "hint"),
    [
        (["Daily"], "jobplan plan list", "did you mean 'Daily'?"),
        (["Q", "P"], "", "there are P, Q"),
        (["P"], "", "there is P"),
        (["P"], "jobplan plan list", "see 'jobplan plan list'"),
        ([], "jobplan plan list", "there are none"),
    ],
)
def test_an_unknown_name_is_one_line(known: list[str], see: str, hint: str) -> None:
    """With the one that was perhaps meant, else with those that there are, or where they are listed."""
    assert unknown("plan", "Dialy", known, see=see) == f"plan 'Dialy' is unknown; {hint}"


def test_a_list_of_names_has_an_end() -> None:
    """The first few, and a number."""
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"
