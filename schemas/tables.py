"""Settings as a table of a TOML file gives them, and what outranks it: what is wrong is one line that says where. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct

from schemas.near import nearest
from schemas.shapes import Place, Shape

S = TypeVar("S", bound=Struct)


class SettingError(ValueError):
    """A setting that cannot be; the message is one line: where it stands, what is wrong, what to write instead."""


class Table(Struct, frozen=True):
    """A table of settings, and where each of them stands."""

    name: str
    """``agent``, ``notifications``; empty: the settings before the first table."""
    values: Mapping[str, object]
    file: str = ""
    """Of the file; empty: there is none."""
    outranked: Mapping[Place, str] = {}
    """By key: what outranks the file, an option or the name of an environment variable."""

    def read(self, cls: type[S]) -> S:
        """The settings. Raises SettingError for what has another type, and for what is none."""
        shape = Shape(group="a table")
        fitted = shape.fit(dict(self.values), cls)  # type: ignore[arg-type]  # TOML has dates and times besides: they fit nothing
        for stranger in shape.strangers:
            *_, key = stranger.place
            near = nearest(str(key), stranger.known)
            hint = f"did you mean '{near}'?" if near else f"there are {', '.join(stranger.known)}"
            raise self.wrong(stranger.place, f"unknown key; {hint}")
        for misfit in shape.misfits:
            raise self.wrong(misfit.place, misfit.message)
        try:
            return msgspec.convert(fitted, cls)
        except msgspec.ValidationError as error:
            raise self.wrong((), str(error)) from error

    def wrong(self, place: Place, message: str) -> SettingError:
        """What is wrong with one of the settings."""
        return SettingError(f"{self._where(place)}: {message}")

    def _where(self, place: Place) -> str:
        """Such as ``jobplan.toml: [agent] concurrency``, or the variable that says it."""
        for end in range(len(place), 0, -1):
            if place[:end] in self.outranked:
                return self.outranked[place[:end]]
        tables = [self.name] if self.name else []
        keys = list(place)
        while len(keys) > 1 and isinstance(keys[1], str):  # what has keys of its own is a table within
            tables.append(str(keys.pop(0)))
        table = f"[{'.'.join(tables)}]" if tables else ""
        key = "".join(f", item {one + 1}" if isinstance(one, int) else str(one) for one in keys)
        where = f"{table} {key}".strip()
        return f"{self.file}: {where}" if self.file and where else where or self.file
