"""That a notification did not arrive, whatever the channel."""

from __future__ import annotations


class UndeliveredError(Exception):
    """It did not arrive; the message is one line without secrets. ``hopeless``: trying again would not help."""

    def __init__(self, message: str, *, hopeless: bool = False) -> None:
        super().__init__(" ".join(message.split()))
        self.hopeless = hopeless
