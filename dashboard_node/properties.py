"""Properties of plans: files ``PLAN.properties`` of ``name=value`` lines, whose values outrank the plans' own defaults."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from dashboard_node.core.parameters import read_properties
from schemas.names import PlanName
from schemas.tables import SettingError

SUFFIX = ".properties"


def read_folder(folder: Path) -> dict[PlanName, dict[str, str]]:
    """The properties of every plan that has a file; none when there is no such folder. Raises SettingError, naming the file.

    A name that cannot be a file's is written as in topics, percent-encoded.
    """
    found: dict[PlanName, dict[str, str]] = {}
    for file in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingError(f"properties {file}: {error}; make it readable UTF-8, or take it away") from error
        found[PlanName(unquote(file.name.removesuffix(SUFFIX)))] = read_properties(text)
    return found
