"""What holds for every bundle: what is written is read again, tokens can be undone, rubbish gives faults and nothing else."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard_node.core.plan_rules import faults
from jobplan.bundle import Bundle, BundleError, export, load, suggested_tokens
from jobplan.bundle.raw import Json
from schemas.plan import PlanSource
from schemas.requests import Fault
from tests.properties.strategies import names, plan_sources

SAMPLE = Path(__file__).parents[1] / "plans" / "MyFirstJobPlan.zip"

documents: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["name", "jobs", "contexts", "scheduledJobs", "jobDependencies", "logicalGrouping", "and", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


def _again(bundle: Bundle, tokens: dict[str, str] | None = None) -> Bundle:
    """The bundle after an export and an import."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        export(bundle, path, millis=1_689_090_642_324, tokens=tokens)
        return load(path, tokens)


def _tried(path: Path) -> tuple[Bundle | None, tuple[Fault, ...]]:
    """The bundle, or why it was refused."""
    try:
        return load(path), ()
    except BundleError as error:
        return None, error.faults


values = names | st.sampled_from(["a", "e", "agent", "-", " ", "name", "1", '"', "\\", "]", "[", "if [[ "])
"""What a person may want to have replaced: parts of words of the format and of identifiers too."""


@given(plan_sources())
def test_drawn_plans_keep_the_rules(source: PlanSource) -> None:
    """The strategy draws plans without errors, so that other tests may import them."""
    assert [fault for fault in faults(source) if not fault.warning] == []


@given(plan_sources())
def test_scenario_224_export_and_import_give_the_same_plan(source: PlanSource) -> None:
    """Documents and typed plan survive the zip, and the one document that a dashboard keeps."""
    bundle = Bundle.from_source(source)
    assert bundle.source.plan == source.plan
    assert sorted(bundle.source.jobs, key=repr) == sorted(source.jobs, key=repr)
    for other in (_again(bundle), Bundle.from_raw(bundle.raw)):
        assert other.documents == bundle.documents
        assert other.source == bundle.source


@given(
    plan_sources(), st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,5}", fullmatch=True), names, max_size=3)
)
def test_scenario_225_a_tokenised_export_is_undone_by_its_tokens(source: PlanSource, chosen: dict[str, str]) -> None:
    """Whatever values become tokens: with the same tokens the import equals the original."""
    bundle = Bundle.from_source(source)
    tokens = chosen | suggested_tokens(bundle.documents)
    assert _again(bundle, tokens).documents == bundle.documents


@settings(max_examples=20)
@given(plan_sources())
def test_exports_are_reproducible(source: PlanSource) -> None:
    """The same bundle and time give the same bytes."""
    one, two = io.BytesIO(), io.BytesIO()
    export(Bundle.from_source(source), one, millis=7)
    export(Bundle.from_source(source), two, millis=7)
    assert one.getvalue() == two.getvalue()


@given(documents)
def test_any_document_gives_a_bundle_or_faults(document: Json) -> None:
    """A file of any JSON is read, or refused with faults; never anything else. And so are the rules total."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        bundle, refused = _tried(path)
        assert (bundle is None) == any(not fault.warning for fault in refused)
        if bundle is not None:
            bundle.located(faults(bundle.source))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_faults(data: bytes) -> None:
    """Rubbish with the name of a zip or a plan is refused, not crashed on."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("bundle.zip", "plan.json"):
            path = Path(folder) / name
            path.write_bytes(data)
            with pytest.raises(BundleError):
                load(path)


@given(st.integers(0, 8_000), st.integers(0, 255))
def test_a_damaged_zip_gives_a_bundle_or_faults(at: int, byte: int) -> None:
    """One byte of a real bundle changed: it is refused, or still read; never anything else."""
    data = bytearray(SAMPLE.read_bytes())
    data[at % len(data)] = byte
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        path.write_bytes(data)
        bundle, refused = _tried(path)
        assert (bundle is None) == bool(refused)
