"""What a check of a broker found. Pure."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    """How a check came out."""

    GOOD = "good"
    NOTE = "note"
    """Not as mosquitto does it, and handled."""
    BAD = "bad"
    """jobplan would lose something on this broker, or not work."""
    SKIPPED = "skipped"


class Finding(Struct, frozen=True, kw_only=True):
    """One line of the table."""

    check: str
    verdict: Verdict
    detail: str = ""
    advice: str = ""
    """What to change, if the verdict is bad."""


class NotConformError(Exception):
    """Raised by a check: what is wrong, and what to change."""

    def __init__(self, detail: str, advice: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.advice = advice


class Remark(Struct, frozen=True):
    """Returned by a check that is content: what it saw; ``note``: that it is not as usual, and handled."""

    text: str = ""
    note: bool = False


def conforms(findings: list[Finding]) -> bool:
    """Whether jobplan can stand on it."""
    return all(finding.verdict is not Verdict.BAD for finding in findings)
