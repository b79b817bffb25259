"""The files that may break a rule, and why. Empty is how it should be."""

from __future__ import annotations

EXCEPTIONS: dict[str, dict[str, str]] = {}
"""Rule name -> path -> the reason. One that is no longer needed fails the tests too."""
