"""Why no connection came about, for people. Pure: it is given what a library said."""

from __future__ import annotations

import re
from typing import Final

UNTRUSTED = "certificate verify failed"
CLOSED_EARLY = "closed the connection before it answered"
_NUMBER: Final = re.compile(r"^\[Errno -?\d+\] ")
"""What Python puts before the operating system's words."""


def in_words(text: str, *, tls: bool) -> str:
    """Why no connection came about, and what to do where that is known."""
    if UNTRUSTED in text:
        why = text.partition(f"{UNTRUSTED}: ")[2] or text  # what OpenSSL says of it
        return f"its certificate is not trusted ({why}): name the one that signed it, with JOBPLAN_CA_FILE or ca-file"
    if text == CLOSED_EARLY and not tls:
        return f"{text} (a TLS listener does that to who comes without: mqtts://)"
    return "no answer" if "timed out" in text else _NUMBER.sub("", text)
