"""Checking a file of recorded Quartz answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobplan.cron.check import CheckInputError, CheckResult, Disagreement, check_file

GOOD = {
    "id": "a",
    "expression": "0 0 1 1 1 ? 2026",
    "timezone": "UTC",
    "start": "2025-01-01T00:00:00Z",
    "fires": ["2026-01-01T01:00:00Z"],
}
REJECTED = {"id": "b", "expression": "0 0 12 * * *", "timezone": "UTC", "error": "any text"}


def written(folder: Path, *lines: object) -> Path:
    """A file of these lines; text as it is, the rest as JSON."""
    path = folder / "cases.jsonl"
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("\n".join(texts), encoding="utf-8")
    return path


def test_agreement_is_counted(tmp_path: Path) -> None:
    """Fire times equal, or rejected on both sides; tags are not needed."""
    assert check_file(written(tmp_path, GOOD, "", REJECTED)) == CheckResult(agree=2, left_out=0, disagreements=())


def test_disagreements_are_shown_with_both_answers(tmp_path: Path) -> None:
    """Wrong instant, missing fires, wrongly rejected, wrongly accepted."""
    cases = [
        GOOD | {"fires": []},
        REJECTED | {"expression": "0 0 12 * * ?"},
        GOOD | {"expression": "0 0 1 * * *"},
        {"id": 4, "expression": "0 0 1 1 1 ? 2020", "timezone": "UTC", "start": GOOD["start"], "error": True},
    ]
    result = check_file(written(tmp_path, *cases))

    assert (result.agree, result.differ) == (0, 4)
    assert result.disagreements[0] == Disagreement(
        id="a", expression="0 0 1 1 1 ? 2026", expected="never fires", got="2026-01-01T01:00:00Z"
    )
    assert [(found.expected, found.got[:11]) for found in result.disagreements[1:]] == [
        ("rejected", "accepted"),
        ("2026-01-01T01:00:00Z", "rejected: c"),
        ("rejected", "never fires"),
    ]


def test_tags_leave_cases_out(tmp_path: Path) -> None:
    """A case with any of the tags is not asked."""
    result = check_file(written(tmp_path, GOOD, GOOD | {"tags": ["quirk", "x"], "fires": []}), ["quirk"])

    assert result == CheckResult(agree=1, left_out=1, disagreements=())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: Expected `object`, got `array`"),
        ({"expression": "x", "error": "y"}, "line 2: .*missing required field `id`"),
        ({"id": "a", "fires": []}, "line 2: .*missing required field `expression`"),
        ({"id": "a", "expression": "x"}, "line 2: exactly one of `fires` and `error`"),
        (GOOD | {"error": "y"}, "line 2: exactly one of `fires` and `error`"),
        ({"id": "a", "expression": "x", "fires": []}, "line 2: `timezone` and `start` must be given"),
        (GOOD | {"timezone": "Mars/Olympus"}, "line 2: unknown time zone 'Mars/Olympus'"),
        (GOOD | {"timezone": "../x"}, "line 2: unknown time zone"),
        (GOOD | {"start": "2025-01-01T00:00:00"}, "line 2: Expected `datetime`.*timezone"),
    ],
)
def test_bad_line_is_named(tmp_path: Path, line: object, message: str) -> None:
    """One line of text says where and what."""
    with pytest.raises(CheckInputError, match=message) as caught:
        check_file(written(tmp_path, GOOD, line))

    assert "\n" not in str(caught.value)


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    """A missing file, a folder, bytes that are no text."""
    with pytest.raises(CheckInputError, match="No such file"):
        check_file(tmp_path / "none.jsonl")
    with pytest.raises(CheckInputError, match="Is a directory"):
        check_file(tmp_path)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CheckInputError, match="not UTF-8"):
        check_file(tmp_path / "bytes")
