"""The one error of the cron language. It knows nothing of fields or fires."""

from __future__ import annotations

_LONGEST_QUOTE = 80


class CronError(ValueError):
    """A cron expression cannot be used; the message is one line for the operator.

    It says which expression, which field, what is wrong and what to write instead.
    """


def quoted(text: str) -> str:
    """The text as it may stand in a one-line message: quoted, escaped, cut when very long."""
    shown = text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "..."
    return ascii(shown)
