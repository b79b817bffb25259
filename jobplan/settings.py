"""What a command is told from outside: option, environment variable, ``jobplan.toml``, default, in this order."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from jobplan.errors import BadInputError

FILE: Final = "jobplan.toml"
DEFAULT_BROKER: Final = "mqtt://127.0.0.1:1883"
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
LOG_FORMATS: Final = ("human", "json")
KNOWN: Final = frozenset({"broker", "ca-file", "data", "log-level", "log-format", "json"})
TABLES: Final = frozenset({"broker-node", "dashboard", "notifications", "agent", "web"})
"""Tables with settings of one kind of node, for ``jobplan serve``."""


class Given(Struct, frozen=True, kw_only=True):
    """What stands on the command line; None: not given."""

    broker: str | None = None
    data: str | None = None
    config: str | None = None
    log_level: str | None = None
    json: bool | None = None

    def over(self, other: Given) -> Given:
        """This, completed by what another one gives: a command's own options outrank those before its noun."""
        return Given(
            broker=self.broker if self.broker is not None else other.broker,
            data=self.data if self.data is not None else other.data,
            config=self.config if self.config is not None else other.config,
            log_level=self.log_level if self.log_level is not None else other.log_level,
            json=self.json if self.json is not None else other.json,
        )


class Settings(Struct, frozen=True, kw_only=True):
    """What a command goes by."""

    broker: str = DEFAULT_BROKER
    ca_file: Path | None = None
    """Certificates (PEM) to trust besides the system's, for ``mqtts``."""
    data: Path | None = None
    """None: not said; each command has its own default."""
    log_level: str = "info"
    log_format: str = "human"
    """Of nodes."""
    json: bool = False
    file: Path | None = None
    """The configuration file that was read."""
    tables: dict[str, dict[str, object]] = field(default_factory=dict)
    """What the configuration file says of single nodes."""


def resolve(given: Given, env: Mapping[str, str], folder: Path) -> Settings:
    """The settings for a command started in ``folder``. Raises BadInputError."""
    file = _file(given, env, folder)
    read = _read(file) if file is not None else {}
    broker = given.broker or env.get("JOBPLAN_BROKER") or _text(read, "broker", file)
    data = given.data or env.get("JOBPLAN_DATA")
    level = given.log_level or env.get("JOBPLAN_LOG_LEVEL") or _text(read, "log-level", file) or "info"
    if level.lower() not in LOG_LEVELS:
        raise BadInputError(f"log level '{level}' is unknown: give one of {', '.join(LOG_LEVELS)}")
    json = given.json if given.json is not None else bool(read.get("json", False))
    form = env.get("JOBPLAN_LOG_FORMAT") or _text(read, "log-format", file) or ("json" if json else "human")
    if form.lower() not in LOG_FORMATS:
        raise BadInputError(f"log format '{form}' is unknown: give one of {', '.join(LOG_FORMATS)}")
    return Settings(
        broker=broker or DEFAULT_BROKER,
        ca_file=_path(env.get("JOBPLAN_CA_FILE"), read, "ca-file", file),
        data=_path(data, read, "data", file),
        log_level=level.lower(),
        log_format=form.lower(),
        json=json,
        file=file,
        tables={name: dict(value) for name, value in read.items() if isinstance(value, dict)},
    )


def _path(given: str | None, read: Mapping[str, object], key: str, file: Path | None) -> Path | None:
    """A path as it was given, else the one in the file, which is meant from where the file is."""
    in_file = _text(read, key, file)
    if given:  # a variable that is set to nothing is not set
        return Path(given)
    return file.parent / in_file if in_file is not None and file is not None else None


def _file(given: Given, env: Mapping[str, str], folder: Path) -> Path | None:
    """The configuration file: the one that is named, or the one in the working directory if there is one."""
    named = given.config or env.get("JOBPLAN_CONFIG")
    if not named:
        found = folder / FILE
        return found if found.is_file() else None
    if not Path(named).is_file():
        raise BadInputError(f"{named}: there is no such configuration file; give --config another path")
    return Path(named)


def _read(file: Path) -> dict[str, object]:
    import tomllib  # most have no such file

    try:
        read: dict[str, object] = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadInputError(f"{file}: not readable as TOML: {error}") from error
    unknown = sorted(key for key, value in read.items() if key not in (TABLES if isinstance(value, dict) else KNOWN))
    if unknown:
        raise BadInputError(f"{file}: unknown key '{unknown[0]}'; known are {', '.join(sorted(KNOWN | TABLES))}")
    return read


def _text(read: Mapping[str, object], key: str, file: Path | None) -> str | None:
    value = read.get(key)
    if value is None or isinstance(value, str):
        return value
    raise BadInputError(f"{file}: '{key}' must be a text in quotes, not {value!r}")


def environment() -> Mapping[str, str]:
    """This process's environment variables."""
    return os.environ
