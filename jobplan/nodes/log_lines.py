"""How a node's log is written: a line a record on standard error, for people or as JSON."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import msgspec


class PlainLines(logging.Formatter):
    """``2026-01-01 06:30:00.123 info broker.runtime.driver: text``."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03d %(level)s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        record.level = record.levelname.lower()
        return super().format(record)


class JsonLines(logging.Formatter):
    """One object a line: ``at``, ``level``, ``logger``, ``message``, and ids as fields of their own (``instance``, ``run``, ...).

    ``error`` is the traceback, if there is one.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line |= {name: value for name, value in fields.items() if name not in line}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def begin(level: str, *, as_json: bool) -> None:
    """Write the log from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else PlainLines())
    # looked up for each line, told in none
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001  # where a line was written: so does the library's documentation
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
