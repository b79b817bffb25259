"""The demo's folder: random passwords that nobody else can read."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from broker.address import parse_url
from jobplan.demo.folder import make_folder
from jobplan.errors import BadInputError
from jobplan.settings import Given, resolve


def test_each_node_and_the_operator_have_settings_of_their_own(tmp_path: Path) -> None:
    """With different passwords, in files for their owner alone."""
    folder = make_folder(tmp_path / "demo", ["north", "süd/1"])

    files = sorted(folder.path.glob("*.toml"))
    urls = [parse_url(resolve(Given(config=str(file)), {}, tmp_path).broker) for file in files]
    secret = [*files, folder.path / "broker" / "passwords", folder.path / "broker" / "rules"]
    assert [url.user for url in urls] == ["agent-north", "agent-s%C3%BCd%2F1", "dashboard", "operator"]
    assert len({url.password for url in urls}) == 4
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in secret)
    assert not any(url.password in (folder.path / "broker" / "passwords").read_text() for url in urls)


def test_only_a_temporary_folder_is_removed(tmp_path: Path) -> None:
    """What a person named stays."""
    named, temporary = make_folder(tmp_path / "demo", []), make_folder(None, [])

    named.remove()
    temporary.remove()

    assert named.path.exists()
    assert not temporary.path.exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """In one line."""
    (tmp_path / "file").write_text("")

    with pytest.raises(BadInputError, match="give a folder that can be written"):
        make_folder(tmp_path / "file" / "demo", [])
