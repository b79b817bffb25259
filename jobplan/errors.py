"""What goes wrong for a person: one line each, with the exit code a command ends with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schemas.requests import Fault


class JobplanError(Exception):
    """Base of what a command reports in one line on standard error."""

    exit_code = 1
    faults: tuple[Fault, ...] = ()
    """What is wrong with what was given or sent, each at its place."""


class BadInputError(JobplanError):
    """What the person gave cannot be used: the message says what is wrong, where, and what to do."""

    exit_code = 2


class UnknownNameError(BadInputError):
    """Nothing has that name; the message suggests the nearest one."""


class RefusedByNodeError(JobplanError):
    """A node answered and said no; ``unknown``: because something that was named is not there."""

    def __init__(self, reason: str, faults: tuple[Fault, ...] = (), *, unknown: bool = False) -> None:
        super().__init__(reason)
        self.faults = faults
        if unknown:
            self.exit_code = UnknownNameError.exit_code


class NobodyAnswersError(JobplanError):
    """No answer came in time; the message says which node is missing and since when."""


class BrokerError(JobplanError):
    """The broker cannot be reached, or refuses us."""


class CannotLookError(JobplanError):
    """Nothing can be said of how all stands, neither well nor ill: there is no broker, or it does not show all it has."""

    exit_code = 2
