"""What can go wrong between a node and its broker."""

from __future__ import annotations


class BusError(Exception):
    """The broker is not there, is gone, or refused something; the message is one line for an operator."""


class RefusedError(BusError):
    """The broker answered and said no: wrong credentials, not allowed by its access rules. Trying again alone will not help."""


class ReplayError(BusError):
    """The end of a replay could not be proved: the broker drops messages. The message names the setting to change."""


class TopicError(ValueError):
    """A topic that is not what it was taken for: under another prefix, or not one of ours; the message says which."""


class BrokerUrlError(ValueError):
    """A text that is no broker's address; one line for an operator, without the password that may stand in it."""
