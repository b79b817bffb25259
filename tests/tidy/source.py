"""The files of the checkout, as the house rules read them.

Knows nothing of any rule.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("agent_node", "broker", "dashboard_node", "jobplan", "schemas")

_SKIPPED_FOLDERS = {"__pycache__", "dist", "node_modules"}
_OURS_THOUGH_HIDDEN = {".ci", ".github"}
_NOT_OURS = {".git"}
"""In a linked worktree a file says where the repository is."""
_TEXTS = {
    "",
    ".cfg",
    ".conf",
    ".css",
    ".html",
    ".ini",
    ".js",
    ".json",
    ".lock",
    ".md",
    ".py",
    ".sh",
    ".toml",
    ".txt",
    ".yaml",
}


@dataclass(frozen=True)
class Source:
    """One file: where it stands below the root, and what is in it."""

    path: str
    text: str

    @property
    def is_python(self) -> bool:
        """Whether it has a tree."""
        return self.path.endswith(".py")

    @property
    def is_test(self) -> bool:
        """Whether it proves rather than does."""
        return self.path.startswith("tests/")

    @property
    def is_core(self) -> bool:
        """Whether it belongs to a node's pure rules."""
        return self.path.startswith(("agent_node/core/", "dashboard_node/core/"))

    @property
    def is_product(self) -> bool:
        """Whether it is in the wheel."""
        return self.path.startswith(tuple(f"{package}/" for package in PACKAGES))

    @cached_property
    def tree(self) -> ast.Module:
        """What Python makes of it."""
        return ast.parse(self.text, filename=self.path)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Everything in the tree, outer things first."""
        return list(ast.walk(self.tree))


@cache
def every_source() -> tuple[Source, ...]:
    """All text files of the checkout, in order of their paths."""
    return tuple(_read(path) for path in sorted(_texts_below(ROOT)))


def _texts_below(folder: Path) -> list[Path]:
    found: list[Path] = []
    for path in folder.iterdir():
        if path.is_symlink():
            continue
        if path.is_dir():
            found += [] if _is_skipped(path.name) else _texts_below(path)
        elif path.suffix in _TEXTS and path.name not in _NOT_OURS:
            found.append(path)
    return found


def _is_skipped(folder: str) -> bool:
    return folder in _SKIPPED_FOLDERS or (folder.startswith(".") and folder not in _OURS_THOUGH_HIDDEN)


def _read(path: Path) -> Source:
    return Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
