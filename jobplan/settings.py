"""What a command is told from outside: option, environment variable, ``jobplan.toml``, default, in this order."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec import Struct, field

from jobplan.errors import BadInputError

if TYPE_CHECKING:
    from schemas.tables import Table

FILE: Final = "jobplan.toml"
DEFAULT_BROKER: Final = "mqtt://127.0.0.1:1883"
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
LOG_FORMATS: Final = ("human", "json")
S = TypeVar("S", bound=Struct)

Whatever = dict[str, Any]
"""A table with settings of one kind of node, which says itself what it has."""


class File(Struct, frozen=True, kw_only=True, rename="kebab"):
    """What a settings file may say."""

    broker: str = ""
    ca_file: str = ""
    """From where the file is; so is ``data``."""
    data: str = ""
    log_level: str = ""
    log_format: str = ""
    json: bool = False
    dashboard: Whatever = field(default_factory=dict)
    notifications: Whatever = field(default_factory=dict)
    agent: Whatever = field(default_factory=dict)
    web: Whatever = field(default_factory=dict)


TABLES: Final = ("dashboard", "notifications", "agent", "web")


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
    tables: dict[str, Table] = field(default_factory=dict)
    """What the configuration file says of single nodes."""

    def table(self, name: str) -> Table:
        """What it says of one; empty without a file."""
        from schemas.tables import Table  # most have no such file, and help needs none

        return self.tables.get(name) or Table(name=name, values={})


def resolve(given: Given, env: Mapping[str, str], folder: Path) -> Settings:
    """The settings for a command started in ``folder``. Raises BadInputError."""
    file = _file(given, env, folder)
    read = File() if file is None else _read(file)
    form = env.get("JOBPLAN_LOG_FORMAT") or read.log_format
    json = given.json if given.json is not None else read.json
    return Settings(
        broker=given.broker or env.get("JOBPLAN_BROKER") or read.broker or DEFAULT_BROKER,
        ca_file=_path(env.get("JOBPLAN_CA_FILE"), read.ca_file, file),
        data=_path(given.data or env.get("JOBPLAN_DATA"), read.data, file),
        log_level=_word(
            "log level", given.log_level or env.get("JOBPLAN_LOG_LEVEL") or read.log_level, LOG_LEVELS, "info"
        ),
        log_format=_word("log format", form, LOG_FORMATS, "json" if json else "human"),
        json=json,
        file=file,
        tables={} if file is None else _tables(read, file),
    )


def _tables(read: File, file: Path) -> dict[str, Table]:
    from schemas.tables import Table

    return {name: Table(name=name, values=getattr(read, name), file=str(file)) for name in TABLES}


def _word(what: str, given: str, words: Collection[str], usual: str) -> str:
    """One of a few words, in whatever case. Raises BadInputError."""
    found = (given or usual).lower()
    if found not in words:
        raise BadInputError(f"{what} '{given}' is unknown: give one of {', '.join(words)}")
    return found


def _path(given: str | None, in_file: str, file: Path | None) -> Path | None:
    """A path as it was given, else the one in the file, which is meant from where the file is."""
    if given:  # a variable that is set to nothing is not set
        return Path(given)
    return file.parent / in_file if in_file and file is not None else None


def _file(given: Given, env: Mapping[str, str], folder: Path) -> Path | None:
    """The configuration file: the one that is named, or the one in the working directory if there is one."""
    named = given.config or env.get("JOBPLAN_CONFIG")
    if not named:
        found = folder / FILE
        return found if found.is_file() else None
    if not Path(named).is_file():
        raise BadInputError(f"{named}: there is no such configuration file; give --config another path")
    return Path(named)


def _read(file: Path) -> File:
    import tomllib  # most have no such file

    from jobplan.text_files import text_of
    from schemas.tables import Table

    try:
        values = tomllib.loads(text_of(file))
    except tomllib.TOMLDecodeError as error:
        raise BadInputError(f"{file}: not readable as TOML: {error}") from error
    return read_table(Table(name="", values=values, file=str(file)), File)


def read_table(table: Table, cls: type[S]) -> S:
    """The settings of a table. Raises BadInputError."""
    from schemas.tables import SettingError

    try:
        return table.read(cls)
    except SettingError as error:
        raise BadInputError(str(error)) from error


def environment() -> Mapping[str, str]:
    """This process's environment variables."""
    return os.environ
