"""What is wrong with a bundle, collected and put in lines for people. It knows nothing of how a bundle is read."""

from __future__ import annotations

from collections.abc import Iterable

from jobplan.errors import BadInputError
from schemas.requests import Fault


class BundleError(BadInputError):
    """A bundle that cannot be used: nothing of it was taken. ``faults`` says everything that is wrong, warnings included."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        wrong = [fault for fault in self.faults if not fault.warning]
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        super().__init__(f"{wrong[0].path}: {wrong[0].message}{more}" if wrong else "the bundle cannot be used")


def describe_faults(faults: Iterable[Fault]) -> list[str]:
    """One line for each fault, errors first: ``error: context/P.json $.name: what is wrong; what to do``."""
    ordered = sorted(faults, key=lambda fault: fault.warning)
    return [one_line(f"{'warning' if fault.warning else 'error'}: {fault.path}: {fault.message}") for fault in ordered]


def one_line(text: str) -> str:
    """The text without anything that would move a terminal's cursor: control characters are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
