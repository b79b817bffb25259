"""docs/README.md leads to every page."""

from __future__ import annotations

import re

from tests.tidy.source import ROOT

PAGES = ROOT / "docs"


def test_index_has_every_page_and_no_other() -> None:
    """A page that nobody is led to is not read."""
    linked = set(re.findall(r"\]\(([a-z-]+\.md)\)", (PAGES / "README.md").read_text(encoding="utf-8")))

    assert linked == {page.name for page in PAGES.glob("*.md")} - {"README.md"}
