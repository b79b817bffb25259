"""What an agent is told from outside: explicit arguments, ``JOBPLAN_*`` variables, ``[agent]`` in a TOML file, defaults."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct, field
from msgspec.structs import replace

from agent_node.core.rules import DryRun, Rules
from agent_node.housekeeping import Fate, Housekeeping
from broker.address import BrokerUrl, parse_url
from broker.errors import BrokerUrlError
from schemas.names import ANY_OF, NodeName, escape
from schemas.tables import SettingError, Table

DEFAULT_BROKER: Final = "mqtt://127.0.0.1:1883"
_PREFIX: Final = "JOBPLAN_AGENT_"
_LOCALTIME: Final = Path("/etc/localtime")
_PERCENT: Final = 100
_LISTS: Final = {"labels", "run-as"}
_TABLES: Final = {"label-concurrency"}
_FILE_ONLY: Final = {"secret-commands"}
NOWHERE: Final = Table(name="agent", values={})
"""No file says anything."""


class AgentTable(Struct, frozen=True, kw_only=True, rename="kebab"):
    """The settings of ``[agent]`` in a TOML file; each is also ``JOBPLAN_AGENT_<NAME>`` in the environment, which outranks it."""

    zone: str = ""
    """IANA name of the zone its clocks and days of the week are read in; empty: the host's."""
    concurrency: int = 64
    """Processes at once; more wait."""
    timeout_seconds: float = 4 * 3600.0
    """Limit of a run whose job names none; 0: no limit."""
    keep_days: int = 30
    """After so many days the run folders of removed instances are removed."""
    keep_instances: int = 0
    """Of removed instances, the run folders of so many at most stay; 0: any number."""
    old_runs: Fate = Fate.REMOVE
    """What becomes of them then: ``remove``, ``archive`` (tar.gz) or ``move``."""
    archive_folder: str = ""
    """Where archives and moved folders go; empty: ``archive`` in the data folder."""
    least_disk_free: int = 104_857_600
    """Bytes; with less on its disk an agent starts nothing."""
    labels: tuple[str, ...] = ()
    """Shown with its presence."""
    label_concurrency: dict[str, int] = field(default_factory=dict)
    """Of runs whose job has a label, so many at once; those without an entry are not limited."""
    run_as: tuple[str, ...] = ()
    """The users that jobs may run as; the agent then has to run as root."""
    secret_commands: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Secrets that a program tells, by name: the program and its arguments. Only in a file."""
    output_bytes: int = 268_435_456
    """Kept on disk of each output file of a run: its head and its tail; 0: all."""
    dry_run: bool = False
    """Pretend to run commands."""
    dry_run_seconds: float = 0.0
    """How long each pretends to run."""
    dry_run_error_percentage: int = 0
    """How many of a hundred pretend to fail."""
    notify: bool = False
    """Have the kernel tell when something changes in the folders of file jobs with ``pollSeconds``, to look at once."""
    metrics: str = ""
    """HOST:PORT at which metrics and health are told; empty: nowhere."""
    ca_file: str = ""
    """Certificates (PEM) to trust besides the system's, for ``mqtts``."""


class AgentConfig(Struct, frozen=True, kw_only=True):
    """Settings of one agent."""

    name: NodeName
    broker: BrokerUrl
    data: Path
    """Folder of its database, its runs (``runs/``) and its secrets (``secrets/``); made when it is not there."""
    table: AgentTable = field(default_factory=AgentTable)

    def validated(self, given: Table = NOWHERE) -> AgentConfig:
        """These settings, if they can be; ``given`` says where they stand. Raises SettingError."""
        table = self.table
        if not self.name.strip() or len(escape(self.name)) > _PERCENT:
            raise SettingError(f"agent name '{self.name}': a short text is wanted")
        if self.name.startswith(ANY_OF):
            raise SettingError(f"agent name '{self.name}': '{ANY_OF}' stands for a group of agents; leave it out")
        zone = self.zone
        for wrong, key, message in (
            (
                not _exists(zone),
                "zone",
                f"'{zone}' is not known on this host; write an IANA name such as Europe/Zurich",
            ),
            (table.concurrency < 1, "concurrency", "at least 1 is wanted"),
            (table.timeout_seconds < 0, "timeout-seconds", "0 (no limit) or more is wanted"),
            (min(table.label_concurrency.values(), default=1) < 1, "label-concurrency", "at least 1 is wanted"),
            (not all(table.secret_commands.values()), "secret-commands", "a program with its arguments is wanted"),
            (table.output_bytes < 0, "output-bytes", "0 (no limit) or more is wanted"),
            (table.keep_days < 1, "keep-days", "at least 1 is wanted"),
            (table.keep_instances < 0, "keep-instances", "0 (any number) or more is wanted"),
            (table.least_disk_free < 0, "least-disk-free", "0 (no limit) or more is wanted"),
            (table.dry_run_seconds < 0, "dry-run-seconds", "0 or more is wanted"),
            (not 0 <= table.dry_run_error_percentage <= _PERCENT, "dry-run-error-percentage", "0 to 100 is wanted"),
        ):
            if wrong:
                raise given.wrong((key,), message)
        return self

    @property
    def zone(self) -> str:
        """The zone that counts."""
        return self.table.zone or host_zone(os.environ)

    @property
    def ca_file(self) -> Path | None:
        """Certificates to trust."""
        return Path(self.table.ca_file) if self.table.ca_file else None

    @property
    def housekeeping(self) -> Housekeeping:
        """What becomes of old run folders."""
        folder = self.table.archive_folder
        target = Path(folder).absolute() if folder else self.data / "archive"
        return Housekeeping(fate=self.table.old_runs, target=target, most=self.table.keep_instances)

    def rules(self) -> Rules:
        """What the core has to know of them."""
        table = self.table
        dry = DryRun(seconds=table.dry_run_seconds, error_percentage=table.dry_run_error_percentage)
        return Rules(
            agent=self.name,
            zone=self.zone,
            concurrency=table.concurrency,
            label_concurrency=table.label_concurrency,
            timeout_seconds=table.timeout_seconds,
            keep_days=table.keep_days,
            dry_run=dry if table.dry_run else None,
        )


def load(
    name: str,
    *,
    environment: Mapping[str, str],
    broker: str | None = None,
    data: Path | None = None,
    table: Table = NOWHERE,
) -> AgentConfig:
    """Put an agent's settings together. ``table``: what a file says in ``[agent]``. Raises SettingError."""
    url = broker or environment.get("JOBPLAN_BROKER") or DEFAULT_BROKER
    folder = data or Path(environment.get("JOBPLAN_DATA") or f"jobplan-agent-{escape(name)}")
    try:
        parsed = parse_url(url)
    except BrokerUrlError as error:
        raise SettingError(f"broker: {error}") from error
    own = _from_environment(environment)
    outranked = {(key,): _variable(key) for key in own}
    given = replace(table, values={**table.values, **own}, outranked=outranked)
    config = AgentConfig(name=NodeName(name), broker=parsed, data=folder.absolute(), table=given.read(AgentTable))
    return config.validated(given)


def read_table(file: Path) -> Table:
    """What a TOML file says in ``[agent]``. Raises SettingError."""
    try:
        read = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingError(f"{file}: not readable as TOML: {error}") from error
    table = read.get("agent", {})
    if not isinstance(table, dict):
        raise SettingError(f"{file}: agent: {table!r} where a table belongs; write [agent]")
    return Table(name="agent", values=table, file=str(file))


def host_zone(environment: Mapping[str, str]) -> str:
    """The IANA name of the host's zone: ``TZ``, else where /etc/localtime leads, else UTC."""
    wanted = environment.get("TZ", "").lstrip(":")
    linked = str(_LOCALTIME.resolve()).partition("zoneinfo/")[2] if _LOCALTIME.exists() else ""
    for name in (wanted, linked):
        if name and _exists(name):
            return name
    return "UTC"


def _from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    """Settings given as variables; lists are separated by commas, and so are the entries ``label=number`` of a table."""
    given: dict[str, object] = {}
    for name in AgentTable.__struct_encode_fields__:
        text = environment.get(_variable(name))
        if text is None or name in _FILE_ONLY:
            continue
        parts = [part.strip() for part in text.split(",") if part.strip()]
        if name in _LISTS:
            given[name] = parts
        elif name in _TABLES:
            given[name] = {key.strip(): value.strip() for key, _, value in (part.partition("=") for part in parts)}
        else:
            given[name] = text
    return given


def _variable(name: str) -> str:
    return _PREFIX + name.upper().replace("-", "_")


def _exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
