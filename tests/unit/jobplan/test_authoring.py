"""For those who write plans: a Python file becomes a bundle, and the schema takes what the reader takes."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import msgspec
import pytest
from click.testing import CliRunner

from jobplan.bundle import load
from jobplan.cli import main
from jobplan.describing import KINDS, Kind, asyncapi, plan_schema
from jobplan.describing.structs import field_sentences
from schemas.notifications import Monitor, Notification
from schemas.plan import CommandJob

PLANS = Path(__file__).parents[2] / "plans"
A_PLAN = """
from schemas.building import PlanBuilder
from schemas.plan import Plan

nightly = PlanBuilder(Plan(name="Nightly", time_window_start="0 0 1 ? * *", context_ttl_milliseconds=3_600_000))
load = nightly.command("Load", "north", "load", after=nightly.clock("Two", "north", "0 0 2 ? * *"))
nightly.command("Report", "north", "report", after=load)
"""


def run(*words: str) -> tuple[int, str]:
    """A command line, its exit code and all it wrote."""
    result = CliRunner().invoke(main, words)
    return result.exit_code, result.output


def a_file(folder: Path, text: str) -> Path:
    """A Python file."""
    file = folder / "nightly.py"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_python_file_becomes_a_bundle_that_loads(tmp_path: Path) -> None:
    """With the jobs it defines."""
    to = tmp_path / "out.zip"
    code, output = run("plan", "build", str(a_file(tmp_path, A_PLAN)), "-o", str(to), "--json")

    assert (code, json.loads(output)["plan"]) == (0, "Nightly")
    assert [job.job_name for job in load(to, {}).source.jobs] == ["Load", "Report", "Two"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\ny = z", "line 2: NameError: name 'z' is not defined"),
        ("x = (", "line 1: '(' was never closed"),
        ("x = 1", "no plan in it"),
        ("raise SystemExit(3)", "it ended by itself (exit 3)"),
        (A_PLAN + "other = PlanBuilder(Plan(name='O'))", "several plans (nightly, other)"),
    ],
)
def test_a_file_without_its_plan_is_told_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    """Where and what; exit code 2."""
    file = a_file(tmp_path, text)
    code, output = run("plan", "build", str(file), "-o", str(tmp_path / "out.zip"))

    assert code == 2
    assert output.startswith(f"jobplan: {file}: ")
    assert said in output
    assert not (tmp_path / "out.zip").exists()


def test_a_faulty_plan_is_not_written(tmp_path: Path) -> None:
    """All that an import would find is told, with the file's name."""
    file = a_file(tmp_path, A_PLAN.replace("0 0 1 ? * *", "whenever"))
    code, output = run("plan", "build", str(file), "-o", str(tmp_path / "out.zip"))

    assert code == 2
    assert f"{file}: context/Nightly.json $.timeWindowStart" in output
    assert not (tmp_path / "out.zip").exists()


def test_one_of_several_plans_is_named(tmp_path: Path) -> None:
    """By the name it is bound to."""
    file = a_file(tmp_path, A_PLAN + "other = PlanBuilder(Plan(name='O'))")
    code, _ = run("plan", "build", str(file), "--name", "nightly", "-o", str(tmp_path / "out.zip"))

    assert code == 0


@pytest.mark.parametrize("bundle", sorted(PLANS.glob("*.zip")), ids=lambda path: path.stem)
def test_the_schema_takes_what_ikasan_exports(bundle: Path) -> None:
    """Context files and every kind of job file."""
    schemas = {kind: jsonschema.Draft202012Validator(plan_schema(kind)) for kind in Kind}
    folders = {
        "context": Kind.PLAN,
        "quartz": Kind.CLOCK,
        "file": Kind.FILE,
        "internal": Kind.COMMAND,
        "global": Kind.GLOBAL,
    }
    seen = set()
    with zipfile.ZipFile(bundle) as archive:
        for name in archive.namelist():
            kind = folders.get(name.split("/")[-2])
            if kind is not None and name.endswith(".json"):
                seen.add(kind)
                schemas[kind].validate(json.loads(archive.read(name)))

    assert Kind.PLAN in seen
    assert Kind.COMMAND in seen


def test_the_schema_takes_shorthand_and_jobs_inside() -> None:
    """As the reader does."""
    plan = {
        "name": "P",
        "scheduledJobs": [{"agentName": "a", "jobName": "x", "commandLine": "true"}],
        "jobDependencies": ["a-x", {"job": "y", "logicalGrouping": {"and": ["a-x", {"job": "x"}]}}],
        "jobs": {"internal": [{"agentName": "a", "jobName": "y", "commandLine": "true"}]},
    }

    jsonschema.Draft202012Validator(plan_schema()).validate(plan)


def test_the_schema_says_where_a_type_is_wrong() -> None:
    """By its path."""
    faults = list(jsonschema.Draft202012Validator(plan_schema()).iter_errors({"name": "P", "contexts": [{"name": 3}]}))

    assert [fault.json_path for fault in faults] == ["$.contexts[0].name"]


@pytest.mark.parametrize("kind", Kind)
def test_each_schema_is_one(kind: Kind) -> None:
    """By the rules of JSON Schema, and about what it says."""
    schema = plan_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)

    assert schema["$ref"] == f"#/$defs/{KINDS[kind].__name__}"


def test_the_described_topics_take_a_notification() -> None:
    """By the document's own schemas what a dashboard tells is one, and nothing else is."""
    document = asyncapi("1")
    told = Notification(id="1", monitor=Monitor.TEST, at=datetime(2026, 1, 1, tzinfo=UTC), plan="P", text="a test")
    at = "#/components/messages/Notification"
    takes = jsonschema.Draft202012Validator(document | {"$ref": f"{at}/payload"})

    assert takes.is_valid(msgspec.json.decode(msgspec.json.encode(told)))
    assert not takes.is_valid({"id": "1", "monitor": "NONE", "at": "2026-01-01T00:00:00Z"})


def test_what_is_written_below_a_field_describes_it() -> None:
    """Inherited ones too, without marks."""
    said = field_sentences(CommandJob)

    assert said["labels"].startswith("Ours: what its runs use")


def test_the_page_about_writing_plans_shows_one_that_builds(tmp_path: Path) -> None:
    """Its example is a plan without faults, and nothing in it waits for a person by mistake."""
    page = (Path(__file__).parents[3] / "docs" / "authoring.md").read_text(encoding="utf-8")
    code, output = run(
        "plan",
        "build",
        str(a_file(tmp_path, page.split("```python\n")[1].split("```")[0])),
        "-o",
        str(tmp_path / "o.zip"),
    )

    assert code == 0, output
    assert "warning" not in output
