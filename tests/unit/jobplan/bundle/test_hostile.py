"""Bundles that mean harm, or were harmed on their way: refused, told why, and nothing of them read."""

from __future__ import annotations

import json
import os
import stat
import zipfile
from pathlib import Path

import pytest

from jobplan.bundle import BundleError, Limits, load

PLAN = json.dumps({"name": "P"})
GOOD = {"1-P/": "", "1-P/context/P.json": PLAN}


def zipped(path: Path, entries: dict[str, str] | list[tuple[str, str]]) -> Path:
    """A zip with these entries in this order."""
    listed = entries.items() if isinstance(entries, dict) else entries
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in listed:
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return path


def refused(path: Path, limits: Limits | None = None) -> list[str]:
    """The messages with which a bundle is refused."""
    with pytest.raises(BundleError) as error:
        load(path, limits=limits or Limits())
    return [fault.message for fault in error.value.faults if not fault.warning]


def test_the_good_one_is_read(tmp_path: Path) -> None:
    """So that the others are refused for what is bad in them."""
    assert load(zipped(tmp_path / "b.zip", GOOD)).source.plan.name == "P"


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "1-P/../../etc/passwd",
        "../x.json",
        "1-P/./x.json",
        "1-P//x.json",
        "C:/x.json",
        "1-P\\context\\x.json",
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    """Whatever they would have held."""
    (message,) = refused(zipped(tmp_path / "b.zip", GOOD | {name: "{}"}))
    assert message.startswith("a name that ")


def test_a_link_is_refused(tmp_path: Path) -> None:
    """Also one that leads nowhere bad: what it leads to is not in the bundle."""
    path = tmp_path / "b.zip"
    zipped(path, GOOD)
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("1-P/jobs/internal/J.json")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert refused(path)[0].startswith("a link or a device")


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    """Said as such, not as rubbish."""
    path = zipped(tmp_path / "b.zip", GOOD)
    data = bytearray(path.read_bytes())
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 8] |= 1
    path.write_bytes(data)
    assert refused(path)[0].startswith("it is encrypted")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """Nobody could say which of the two was checked."""
    entries = [*GOOD.items(), ("1-P/context/P.json", '{"name": "Q"}')]
    assert refused(zipped(tmp_path / "b.zip", entries))[0].startswith("it is there twice")


def test_scenario_223_the_first_entry_must_be_the_directory(tmp_path: Path) -> None:
    """Ikasan's rule; also an empty zip has none."""
    first_a_file = {"1-P/context/P.json": PLAN, "1-P/": ""}
    assert "first entry must be the bundle's directory" in refused(zipped(tmp_path / "a.zip", first_a_file))[0]
    deeper = {"1-P/context/": "", "1-P/context/P.json": PLAN}
    assert "first entry must be the bundle's directory" in refused(zipped(tmp_path / "b.zip", deeper))[0]
    assert refused(zipped(tmp_path / "c.zip", {}))[0].startswith("it is empty")


def test_a_bomb_is_refused_without_being_unpacked(tmp_path: Path) -> None:
    """By how much it grows, by how much it is, and by how many there are."""
    bomb = zipped(tmp_path / "b.zip", GOOD | {"1-P/x.json": "0" * (3 << 20)})
    assert refused(bomb)[0].startswith("it unpacks to more than 200 times its size")
    assert "are the limit" in refused(bomb, Limits(file_bytes=1 << 20))[0]
    assert "unpacks to more than" in refused(bomb, Limits(ratio=10_000, total_bytes=2 << 20))[0]
    assert "3 entries; 2 are the limit" in refused(bomb, Limits(entries=2))[0]


def test_a_file_that_is_longer_than_it_says_is_refused(tmp_path: Path) -> None:
    """A bomb that lies about its size is read only as far as it admitted."""
    path = zipped(tmp_path / "b.zip", GOOD)
    data = bytearray(path.read_bytes())
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = (3).to_bytes(4, "little")
    path.write_bytes(data)
    assert len(refused(path)) == 1


def test_a_damaged_entry_is_refused(tmp_path: Path) -> None:
    """Its checksum says so."""
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in GOOD.items():
            archive.writestr(name, text)
    path.write_bytes(path.read_bytes().replace(b'"P"', b'"Q"'))
    assert refused(path)[0].startswith("cannot be unpacked")


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    """Whatever it is called."""
    for name, data in (("a.zip", b"hello"), ("b.json", b"PK\x03\x04 and then nothing")):
        (tmp_path / name).write_bytes(data)
        assert refused(tmp_path / name)[0].startswith("not a zip")


def test_a_bundle_without_a_plan_is_refused(tmp_path: Path) -> None:
    """No context file, or two of them."""
    assert "no context file" in refused(zipped(tmp_path / "a.zip", {"1-P/": ""}))[0]
    two = GOOD | {"1-P/context/Q.json": PLAN}
    assert "2 plans (context/P.json, context/Q.json)" in refused(zipped(tmp_path / "b.zip", two))[0]


def test_what_does_not_belong_is_left_out_and_told(tmp_path: Path) -> None:
    """But for what file managers leave behind everywhere."""
    more = {
        "1-P/README.txt": "hello",
        "elsewhere/x.json": "{}",
        "__MACOSX/._P": "x",
        "1-P/.DS_Store": "x",
        "1-P/y.json": "{}",
    }
    bundle = load(zipped(tmp_path / "b.zip", GOOD | more))
    assert [fault.path for fault in bundle.ignored] == ["elsewhere/x.json", "README.txt", "y.json"]
    assert list(bundle.documents) == ["context/P.json", "y.json"]


def test_several_things_wrong_are_told_together(tmp_path: Path) -> None:
    """All the names, or all the files."""
    assert len(refused(zipped(tmp_path / "a.zip", GOOD | {"../x": "", "/y": ""}))) == 2
    assert (
        len(refused(zipped(tmp_path / "b.zip", GOOD | {"1-P/jobs/file/F.json": "{", "1-P/jobs/file/G.json": "]"}))) == 2
    )


def test_links_in_a_folder_are_refused(tmp_path: Path) -> None:
    """A plan must not fetch what its author could not have read."""
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "P.json").write_text(PLAN)
    (tmp_path / "jobs").symlink_to("/etc")
    assert refused(tmp_path)[0].startswith("a link; a bundle holds its files itself")


def test_a_pipe_in_a_folder_is_passed_over(tmp_path: Path) -> None:
    """Reading it would wait for ever."""
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "P.json").write_text(PLAN)
    os.mkfifo(tmp_path / "context" / "Q.json")
    assert load(tmp_path).source.plan.name == "P"


def test_folders_without_a_bundle_or_with_several_are_refused(tmp_path: Path) -> None:
    """With the names of those there are."""
    assert refused(tmp_path)[0].startswith("no bundle in it")
    for name in ("1-P", "2-Q"):
        (tmp_path / name / "context").mkdir(parents=True)
    assert refused(tmp_path)[0].startswith("2 bundles in it: '1-P', '2-Q'")
    assert len(refused(tmp_path / "1-P", Limits(entries=0))) == 1


def test_limits_hold_for_folders_and_single_files(tmp_path: Path) -> None:
    """A folder is not trusted more than a zip."""
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "P.json").write_text(PLAN)
    assert "more than" in refused(tmp_path, Limits(entries=0))[0]
    assert "larger than 3 bytes" in refused(tmp_path, Limits(file_bytes=3))[0]
    assert "larger than 3 bytes" in refused(tmp_path / "context" / "P.json", Limits(total_bytes=3))[0]


def test_a_path_that_is_not_there_is_told(tmp_path: Path) -> None:
    """As what it is."""
    assert refused(tmp_path / "missing.zip") == ["cannot be read: No such file or directory"]


def test_a_zip_of_an_unknown_compression_is_refused(tmp_path: Path) -> None:
    """Made by a tool that Ikasan's cannot read either."""
    path = zipped(tmp_path / "b.zip", GOOD)
    data = bytearray(path.read_bytes())
    directory = data.rindex(b"PK\x01\x02")
    local = data.rindex(b"PK\x03\x04")
    data[directory + 10 : directory + 12] = data[local + 8 : local + 10] = (99).to_bytes(2, "little")
    path.write_bytes(data)
    assert len(refused(path)) == 1
