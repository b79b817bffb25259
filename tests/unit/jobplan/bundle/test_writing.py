"""Writing bundles: Ikasan's layout, file names made safe, tokens in place of an environment's values."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from jobplan.bundle import Bundle, BundleError, export, load, suggested_tokens
from jobplan.bundle.filenames import kept_apart, sanitised
from schemas.plan import (
    ClockJob,
    CommandJob,
    Context,
    Grouping,
    JobDependency,
    JobLock,
    LockParticipant,
    Operator,
    Plan,
    PlanSource,
    ScheduledJob,
)

SAMPLE = Path(__file__).parents[3] / "plans" / "MyFirstJobPlan.zip"


def a_bundle(*jobs: CommandJob | ClockJob, name: str = "P", group: str = "") -> Bundle:
    """A plan whose jobs wait for nothing."""
    plan = Plan(
        name=name,
        environment_group=group,
        scheduled_jobs=tuple(ScheduledJob(agent_name=job.agent_name, job_name=job.job_name) for job in jobs),
        job_dependencies=tuple(JobDependency(job_identifier=job.id) for job in jobs),
    )
    return Bundle.from_source(PlanSource(plan=plan, jobs=jobs))


def a_command(name: str = "J", agent: str = "host-1", command: str = "true") -> CommandJob:
    """A command."""
    return CommandJob(agent_name=agent, job_name=name, command_line=command)


def entries(bundle: Bundle, tokens: dict[str, str] | None = None) -> dict[str, str]:
    """The files of an export."""
    packed = io.BytesIO()
    export(bundle, packed, millis=1_689_090_642_324, tokens=tokens)
    with zipfile.ZipFile(packed) as archive:
        return {info.filename: archive.read(info).decode() for info in archive.infolist()}


def test_an_export_has_the_layout_of_ikasan() -> None:
    """All of what the shipped plan has, the directory first."""
    with zipfile.ZipFile(SAMPLE) as archive:
        shipped = archive.namelist()
    written = list(entries(load(SAMPLE)))
    assert written[0] == shipped[0] == "1689090642324-MyFirstJobPlan/"
    assert sorted(written) == sorted(shipped)


def test_scenario_224_the_shipped_plan_survives_export_and_import(tmp_path: Path) -> None:
    """Document by document."""
    bundle = load(SAMPLE)
    export(bundle, tmp_path / "b.zip", millis=1)
    again = load(tmp_path / "b.zip")
    assert again.documents == bundle.documents
    assert again.source == bundle.source
    assert [path.name for path in tmp_path.iterdir()] == ["b.zip"]


def test_scenario_225_agents_and_environment_become_tokens(tmp_path: Path) -> None:
    """As Ikasan does it: not the dashboard's own agents, and the environment at the end of the plan's name."""
    start = "CONTEXT_START_JOB"
    plan = Plan(
        name="Close_UAT",
        environment_group="UAT",
        scheduled_jobs=(ScheduledJob(agent_name="host-1", job_name="J"), ScheduledJob(agent_name=start, job_name="S")),
        job_dependencies=(
            JobDependency(
                job_identifier="host-1-J",
                logical_grouping=Grouping(and_=(Operator(identifier=f"{start}-S"),)),
            ),
            JobDependency(job_identifier=f"{start}-S"),
        ),
        job_locks=(JobLock(name="l", jobs={"Close_UAT": (LockParticipant(agent_name="host-1", job_name="J"),)}),),
    )
    bundle = Bundle.from_source(PlanSource(plan=plan, jobs=(a_command(),)))
    tokens = suggested_tokens(bundle.documents)
    assert tokens == {"agent.name": "host-1", "env.name": "UAT"}
    files = entries(bundle, tokens)
    text = files["1689090642324-Close/context/Close.json"]
    assert '"name": "Close_[[env.name]]"' in text
    assert '"environmentGroup": "[[env.name]]"' in text
    assert '"Close_[[env.name]]": [' in text
    assert '"jobIdentifier": "[[agent.name]]-J"' in text
    assert f'"identifier": "{start}-S"' in text
    assert "host-1" not in "".join(files.values())
    assert "UAT" not in "".join(files.values())
    export(bundle, tmp_path / "t.zip", millis=1, tokens=tokens)
    assert load(tmp_path / "t.zip", tokens).documents == bundle.documents
    other = load(tmp_path / "t.zip", {"agent.name": "host-9", "env.name": "PROD"})
    assert other.source.plan.name == "Close_PROD"
    assert [job.id for job in other.source.jobs] == ["host-9-J"]


def test_scenario_225_several_agents_get_a_token_each(tmp_path: Path) -> None:
    """One token for all could not be undone."""
    bundle = a_bundle(a_command("J", "h"), a_command("K", "h-1"))
    tokens = suggested_tokens(bundle.documents)
    assert tokens == {"agent.name": "h", "agent.name.2": "h-1"}
    export(bundle, tmp_path / "t.zip", millis=1, tokens=tokens)
    assert load(tmp_path / "t.zip", tokens).documents == bundle.documents


def test_any_value_may_become_a_token() -> None:
    """Wherever it occurs in a text, the longest first; words of the format stay as they are."""
    bundle = a_bundle(a_command(command="cp /data/in /data/in/old name"))
    text = entries(bundle, {"dir": "/data", "in": "/data/in", "n": "name"})["1689090642324-P/jobs/internal/J.json"]
    assert '"commandLine": "cp [[in]] [[in]]/old [[n]]"' in text
    assert '"jobName": "J"' in text


def test_a_shell_test_is_no_token(tmp_path: Path) -> None:
    """Blanks, colons and the like: nothing of it is replaced or missed."""
    command = "if [[ -f x ]]; then grep '[[:alpha:]]' x; fi; [[ $a == b ]] && [[]] [[1]]"
    export(a_bundle(a_command(command=command)), tmp_path / "b.zip", millis=1)
    (job,) = load(tmp_path / "b.zip").source.jobs
    assert isinstance(job, CommandJob)
    assert job.command_line == command


def test_a_text_like_a_token_is_taken_literally_when_told_so(tmp_path: Path) -> None:
    """Values are not looked at again."""
    bundle = a_bundle(a_command(command="python -c 'print(d[[col]])'"))
    export(bundle, tmp_path / "b.zip", millis=1)
    with pytest.raises(BundleError, match=r"\[\[col\]\] has no value"):
        load(tmp_path / "b.zip")
    assert load(tmp_path / "b.zip", {"col": "[[col]]"}).documents == bundle.documents
    with pytest.raises(BundleError, match="choose another name"):
        entries(bundle, {"col": "true"})


def test_tokens_nobody_needs_or_can_use_are_told(tmp_path: Path) -> None:
    """A name that stands nowhere warns; one that cannot stand anywhere, or an empty value, is refused."""
    export(a_bundle(a_command()), tmp_path / "b.zip", millis=1)
    assert [fault.message for fault in load(tmp_path / "b.zip", {"x": "y"}).ignored] == [
        "[[x]] stands nowhere in the bundle"
    ]
    with pytest.raises(BundleError, match="a token's name is a letter"):
        load(tmp_path / "b.zip", {"1 x": "y"})
    with pytest.raises(BundleError, match="an empty value"):
        entries(a_bundle(a_command()), {"x": ""})


def test_scenario_226_names_are_made_safe_for_files() -> None:
    """Ikasan's characters, control characters, and what is too long for a disk."""
    assert sanitised("a/b:c") == "a_b_c"
    assert sanitised('\\:/*?"<>|\n') == "_" * 10
    assert sanitised("X_[[env.name]]") == "X"
    assert sanitised("") == "_"
    assert sanitised("._a._b") == "__a._b"
    assert len(sanitised("ü" * 300).encode()) <= 200
    assert sanitised("ü" * 300) != sanitised("ü" * 301)


def test_scenario_226_jobs_of_one_file_name_are_kept_apart(tmp_path: Path) -> None:
    """Ikasan overwrites one of them."""
    bundle = a_bundle(a_command("a/b:c"), a_command("a_b_c"), a_command("A_B_C"), a_command("a_b_c", "host-2"))
    files = [path for path in bundle.documents if path.startswith("jobs/")]
    assert sorted(files) == [f"jobs/internal/{name}.json" for name in ("A_B_C", "a_b_c~2", "a_b_c~3", "a_b_c~4")]
    export(bundle, tmp_path / "b.zip", millis=1)
    assert load(tmp_path / "b.zip").source == bundle.source
    assert kept_apart([("1", "x"), ("2", "x~2"), ("3", "x")]) == {"1": "x", "2": "x~2", "3": "x~3"}


def test_an_interrupted_export_leaves_the_old_file(tmp_path: Path) -> None:
    """The new one takes its place when it is whole."""
    path = tmp_path / "b.zip"
    path.write_text("old")
    with pytest.raises(BundleError):
        export(a_bundle(), path, millis=1, tokens={"x": ""})
    assert path.read_text() == "old"


def test_a_plan_that_never_was_a_bundle_becomes_one() -> None:
    """With contexts, and identifiers derived."""
    source = PlanSource(plan=Plan(name="P", contexts=(Context(name="C"),)))
    assert Bundle.from_source(source).documents == {"context/P.json": {"name": "P", "contexts": [{"name": "C"}]}}
