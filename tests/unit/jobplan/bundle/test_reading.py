"""Reading bundles: the real ones, and every layout a plan may come in."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from dashboard_node.core.plan_rules import faults
from jobplan.bundle import Bundle, BundleError, describe_faults, load
from schemas.plan import ClockJob, CommandJob, FileJob, GlobalJob
from schemas.requests import Fault

PLANS = Path(__file__).parents[3] / "plans"
SAMPLE = PLANS / "MyFirstJobPlan.zip"
CORRUPT = PLANS / "MyFirstJobPlanWithTokens.zip"

Object = dict[str, object]


def a_command(name: str = "J", **more: object) -> Object:
    """A command job as it is written."""
    return {"agentName": "a", "jobName": name, "commandLine": "true", **more}


def an_entry(name: str = "J", **more: object) -> Object:
    """A job in a context as it is written."""
    return {"agentName": "a", "jobName": name, **more}


def a_plan(*names: str, **more: object) -> Object:
    """A plan with these jobs, none of which waits for another."""
    return {
        "name": "P",
        "scheduledJobs": [an_entry(name) for name in names],
        "jobDependencies": [{"jobIdentifier": f"a-{name}"} for name in names],
        **more,
    }


def write(path: Path, document: object) -> Path:
    """A JSON file, with the folders it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def refused(path: Path, tokens: dict[str, str] | None = None) -> list[Fault]:
    """The errors with which a bundle is refused."""
    with pytest.raises(BundleError) as error:
        load(path, tokens)
    return [fault for fault in error.value.faults if not fault.warning]


def test_the_shipped_plan_loads() -> None:
    """All of it: jobs of every kind, contexts, locks; and the rules find no error in it."""
    bundle = load(SAMPLE)
    assert bundle.source.plan.name == "MyFirstJobPlan"
    assert [context.name for context in bundle.source.plan.contexts] == [
        "ScriptProcessingContext",
        "MyGlobalEventContext",
    ]
    kinds = [type(job) for job in bundle.source.jobs]
    assert [kinds.count(kind) for kind in (CommandJob, FileJob, ClockJob, GlobalJob)] == [6, 1, 1, 1]
    assert bundle.ignored == ()
    assert [fault for fault in faults(bundle.source) if not fault.warning] == []


def test_what_is_odd_in_the_shipped_plan_is_told_at_its_place() -> None:
    """A clock that fires each second, a window nobody reads, a dependency that is there twice."""
    bundle = load(SAMPLE)
    assert [fault.path for fault in bundle.located(faults(bundle.source))] == [
        "context/MyFirstJobPlan.json $.contexts[1].timeWindowStart",
        "context/MyFirstJobPlan.json $.contexts[0].jobDependencies[4]",
        "jobs/quartz/7amScheduledEvent.json $.cronExpression",
    ]


def test_the_corrupt_plan_names_the_tokens_it_needs() -> None:
    """Both of them, and how to give them."""
    messages = [fault.message for fault in refused(CORRUPT)]
    assert ["[[agent.name]]" in messages[0], "[[context.name]]" in messages[1]] == [True, True]
    assert messages[0].endswith("give agent.name=VALUE")


def test_the_corrupt_plan_is_refused_with_every_fault_at_its_path() -> None:
    """Its operators were all replaced by one job, and its global event given to an agent."""
    plan = "context/MyFirstJobPlan.json "
    assert [fault.path for fault in refused(CORRUPT, {"agent.name": "a", "context.name": "P"})] == [
        f"{plan}$.contexts[0].scheduledJobs[5]",
        f"{plan}$.contexts[1].scheduledJobs[0]",
        f"{plan}$.jobDependencies[1].logicalGrouping.and[0].identifier",
    ]


def test_lists_may_carry_their_java_type(tmp_path: Path) -> None:
    """As Ikasan's REST services write them, at every depth; a list of texts that merely begins so is one."""

    def typed(value: object) -> object:
        match value:
            case dict():
                return {key: typed(inner) for key, inner in value.items()}
            case list():
                return ["java.util.ArrayList", [typed(inner) for inner in value]]
            case _:
                return value

    job = a_command("J", contextName="P", successfulReturnCodes=["0", "java.util.ArrayList"])
    plan = a_plan("J", contexts=[{"name": "C"}])
    for folder, spelled in (("plain", lambda value: value), ("typed", typed)):
        write(tmp_path / folder / "context" / "P.json", spelled(plan))
        write(tmp_path / folder / "jobs" / "internal" / "J.json", spelled(job))

    assert load(tmp_path / "typed").documents == load(tmp_path / "plain").documents


def test_an_unpacked_folder_is_the_same_bundle(tmp_path: Path) -> None:
    """The folder of the bundle, and the folder around it."""
    with zipfile.ZipFile(SAMPLE) as archive:
        archive.extractall(tmp_path)
    whole = load(SAMPLE)
    assert load(tmp_path).documents == whole.documents
    assert load(tmp_path / "1689090642324-MyFirstJobPlan").source == whole.source


def test_scenario_223_split_contexts_are_the_same_plan(tmp_path: Path) -> None:
    """Children in files of their own, in the order of their ordinals, give the plan that one file gives."""
    inner = {"name": "Inner", "ordinal": 0}
    first, second = {"name": "Z", "ordinal": 1}, {"name": "A", "ordinal": 2}
    write(tmp_path / "one" / "context" / "P.json", a_plan(contexts=[first | {"contexts": [inner]}, second]))
    split = tmp_path / "split" / "context"
    write(split / "P.json", a_plan(contexts=[]))
    write(split / "P" / "A.json", second)
    write(split / "P" / "Z.json", first)
    write(split / "P" / "Z" / "Inner.json", inner)
    assert load(tmp_path / "split").documents == load(tmp_path / "one").documents


def test_faults_in_split_contexts_are_told_at_their_files(tmp_path: Path) -> None:
    """Not at the place in the plan they were put together to."""
    write(tmp_path / "context" / "P.json", a_plan())
    write(tmp_path / "context" / "P" / "C.json", {"name": "C", "contexts": [{"name": "D", "ordinal": "x"}]})
    assert [fault.path for fault in refused(tmp_path)] == ["context/P/C.json $.contexts[0].ordinal"]


def test_a_child_without_its_parent_is_refused(tmp_path: Path) -> None:
    """Nobody could say where it belongs."""
    write(tmp_path / "context" / "P.json", a_plan())
    write(tmp_path / "context" / "Q" / "C.json", {"name": "C"})
    assert [fault.path for fault in refused(tmp_path)] == ["context/Q/C.json"]


ONE_FILE: dict[str, object] = {
    "list with types": a_plan("J", jobs=[a_command(type="internalEventDrivenJob")]),
    "list without types": a_plan("J", jobs=[a_command()]),
    "lists by kind": a_plan("J", jobs={"internal": [a_command()]}),
    "inline": a_plan() | {"scheduledJobs": [a_command()], "jobDependencies": [{"jobIdentifier": "a-J"}]},
    "ContextBundle": {"contextTemplate": a_plan("J"), "schedulerJobs": [a_command()]},
    "nulls": a_plan("J", jobs=[a_command(workingDirectory=None)], timezone=None, contexts=None),
    "numbers as texts": a_plan("J", jobs=[a_command(minExecutionTime="-1")], disabled="false", ordinal=-1.0),
}


@pytest.mark.parametrize("document", ONE_FILE.values(), ids=ONE_FILE)
def test_one_file_holds_the_whole_plan(tmp_path: Path, document: object) -> None:
    """However the jobs are put into it."""
    bundle = load(write(tmp_path / "plan.json", document))
    assert bundle.source.jobs == (CommandJob(agent_name="a", job_name="J", command_line="true"),)
    assert [job.id for job in bundle.source.plan.scheduled_jobs] == ["a-J"]
    assert bundle.ignored == ()
    assert [fault for fault in faults(bundle.source) if not fault.warning] == []


def test_jobs_of_one_file_are_known_by_their_fields(tmp_path: Path) -> None:
    """A command line, file names, a cron, or the agent of global events."""
    clock = an_entry("Q", cronExpression="0 0 1 ? * *")
    file = an_entry("F", cronExpression="0 0 1 ? * *", filenames=["x"])
    event = {"agentName": "GLOBAL_EVENT", "jobName": "G"}
    jobs = [clock, file, event, a_command()]
    bundle = load(write(tmp_path / "plan.json", a_plan(jobs=jobs)))
    assert {job.job_name: type(job) for job in bundle.source.jobs} == {
        "Q": ClockJob,
        "F": FileJob,
        "G": GlobalJob,
        "J": CommandJob,
    }


def test_faults_in_one_file_are_told_at_their_place_in_it(tmp_path: Path) -> None:
    """Not at the path the job has in a zip."""
    path = write(tmp_path / "plan.json", a_plan("J", jobs=[a_command(), a_command("K", jobRepeatable="often"), {}]))
    assert [fault.path for fault in refused(path)] == ["plan.json $.jobs[2]"]
    path = write(tmp_path / "plan.json", a_plan("J", jobs=[a_command(), a_command("K", jobRepeatable="often")]))
    assert [fault.path for fault in refused(path)] == ["plan.json $.jobs[1].jobRepeatable"]


def test_an_inline_job_described_twice_differently_is_refused(tmp_path: Path) -> None:
    """Nobody could say which of the two would run."""
    child = {"name": "C", "scheduledJobs": [a_command(commandLine="false")]}
    path = write(tmp_path / "plan.json", {"name": "P", "scheduledJobs": [a_command()], "contexts": [child]})
    assert [fault.path for fault in refused(path)] == ["plan.json $.contexts[0].scheduledJobs[0]"]


def test_what_a_context_bundle_carries_along_is_kept(tmp_path: Path) -> None:
    """Profiles, notifications and roles."""
    document = {
        "contextTemplate": a_plan(),
        "contextProfiles": [{"profileName": "ops"}],
        "emailNotificationDetails": [{"jobName": "J", "monitorType": "ERROR"}],
        "emailNotificationContext": {"contextName": "P"},
        "roles": ["r"],
    }
    kept = load(write(tmp_path / "bundle.json", document)).documents
    assert list(kept) == [
        "context/P.json",
        "notification/1-notification.json",
        "notification_details/J-ERROR-1.json",
        "profiles/ops-1.json",
        "roles/roles.json",
    ]


def test_the_shorthand_of_the_documents_is_accepted(tmp_path: Path) -> None:
    """Bare strings for operators, `job` for a key; a bare job name means the only job called so."""
    dependencies = [
        "J",
        {"job": "a-K", "logicalGrouping": {"and": ["a-J"], "or": [{"job": "L"}], "logicalGrouping": {"and": ["J"]}}},
        {"jobIdentifier": "a-L"},
    ]
    plan = a_plan("J", "K", "L", jobs=[a_command(name) for name in "JKL"]) | {"jobDependencies": dependencies}
    found = load(write(tmp_path / "plan.json", plan)).source.plan.job_dependencies
    assert [dependency.job_identifier for dependency in found] == ["a-J", "a-K", "a-L"]
    grouping = found[1].logical_grouping
    assert grouping is not None
    assert grouping.logical_grouping is not None
    operators = (*grouping.and_, *grouping.or_, *grouping.logical_grouping.and_)
    assert [operator.identifier for operator in operators] == ["a-J", "a-L", "a-J"]


def test_templates_fill_what_a_job_lacks(tmp_path: Path) -> None:
    """The template itself is no job of the plan."""
    template = a_command("T", templateJob=True, workingDirectory="/t", minExecutionTime=3)
    job = an_entry("J", templateBased=True, templateName="T", workingDirectory="/j")
    bundle = load(write(tmp_path / "p.json", a_plan("J", jobs={"internal": [job], "internalTemplate": [template]})))
    (found,) = bundle.source.jobs
    assert isinstance(found, CommandJob)
    assert (found.command_line, found.working_directory, found.min_execution_time) == ("true", "/j", 3)
    assert found.job_name == "J"
    assert bundle.documents["jobs/internalTemplate/T.json"] == template | {"identifier": "a-T"}


def test_a_template_that_is_missing_is_named(tmp_path: Path) -> None:
    """With those there are."""
    job = an_entry("J", templateBased=True, templateName="T")
    path = write(tmp_path / "p.json", a_plan("J", jobs={"internal": [job], "internalTemplate": [a_command("U")]}))
    (fault,) = refused(path)
    assert fault.path == "p.json $.jobs.internal[0].templateName"
    assert "no template 'T' in jobs/internalTemplate (there are U)" in fault.message


def test_unknown_keys_are_ignored_kept_and_told(tmp_path: Path) -> None:
    """With the key that was perhaps meant."""
    path = write(tmp_path / "p.json", a_plan("J", jobs=[a_command(jobRepeatabel=True)], colour="red"))
    bundle = load(path)
    assert describe_faults(bundle.ignored) == [
        "warning: p.json $.colour: unknown key, ignored",
        "warning: p.json $.jobs[0].jobRepeatabel: unknown key, ignored; did you mean 'jobRepeatable'?",
    ]
    again = Bundle.from_raw(bundle.raw)
    assert b'"colour":"red"' in again.raw
    assert again.raw == bundle.raw


def test_an_identifier_that_says_something_else_is_ignored_and_told(tmp_path: Path) -> None:
    """Identifiers are derived."""
    bundle = load(write(tmp_path / "p.json", a_plan("J", jobs=[a_command(identifier="x-J")])))
    assert [fault.path for fault in bundle.ignored] == ["p.json $.jobs[0].identifier"]
    assert b"x-J" not in bundle.raw


def test_a_job_without_its_file_is_refused_with_all_else_that_is_wrong(tmp_path: Path) -> None:
    """A bundle has to be complete."""
    write(tmp_path / "context" / "P.json", a_plan("J", contextTtlMilliseconds=-1))
    assert [fault.path for fault in refused(tmp_path)] == [
        "context/P.json $.scheduledJobs[0]",
        "context/P.json $.contextTtlMilliseconds",
    ]


def test_every_wrong_type_is_told_at_once(tmp_path: Path) -> None:
    """With the path, what stands there and what belongs there."""
    wrong = a_plan(
        contexts={}, disabled="perhaps", scheduledJobs=[{"agentName": "a"}], jobLocks=[{"name": "l", "lockCount": "x"}]
    )
    write(tmp_path / "context" / "P.json", wrong)
    write(tmp_path / "jobs" / "internal" / "J.json", a_command(startupControlType="LATER", successfulReturnCodes=[[]]))
    assert describe_faults(refused(tmp_path)) == [
        "error: context/P.json $.scheduledJobs[0]: 'jobName' is missing; it cannot be left out",
        "error: context/P.json $.contexts: an object where a list belongs",
        "error: context/P.json $.disabled: 'perhaps' where true or false belongs",
        "error: context/P.json $.jobLocks[0].lockCount: 'x' where a whole number belongs",
        "error: jobs/internal/J.json $.startupControlType: 'LATER' is not one of AUTOMATIC, MANUAL, DISABLED",
        "error: jobs/internal/J.json $.successfulReturnCodes[0]: a list where a text belongs",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"name": "P",\n  "x": }', "line 2 column 8: not JSON: invalid character"),
        ('{"name": "P"', "line 1 column 13: not JSON: the text ends in the middle of a value"),
        ("", "line 1 column 1: not JSON: the file is empty"),
        ('{"x": NaN}', "line 1 column 7: not JSON: invalid character"),
        ("[" * 5000, "nested deeper than 200 levels"),
        ('{"x":' * 300 + "1" + "}" * 300, "nested deeper than 200 levels"),
    ],
)
def test_what_is_no_json_is_told_by_line_and_column(tmp_path: Path, text: str, told: str) -> None:
    """Where the text stops making sense."""
    (tmp_path / "p.json").write_text(text, encoding="utf-8")
    (fault,) = refused(tmp_path / "p.json")
    assert fault.message.startswith(told)


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    """Only UTF-8 is JSON; a byte order mark before it is forgiven."""
    text = json.dumps(a_plan(description="ü"), ensure_ascii=False)
    (tmp_path / "p.json").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load(tmp_path / "p.json").source.plan.description == "ü"
    (tmp_path / "p.json").write_bytes(text.encode("latin-1"))
    assert "not UTF-8" in refused(tmp_path / "p.json")[0].message


def test_a_key_that_stands_twice_is_told(tmp_path: Path) -> None:
    """The last one counts, as in Ikasan."""
    (tmp_path / "p.json").write_text('{"name": "O", "name": "P"}')
    bundle = load(tmp_path / "p.json")
    assert bundle.source.plan.name == "P"
    assert [fault.message for fault in bundle.ignored] == [
        "the key 'name' stands twice in one object; the last one counts"
    ]


def test_a_job_in_the_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    """And so is a folder of no kind at all."""
    write(tmp_path / "context" / "P.json", a_plan())
    write(tmp_path / "jobs" / "file" / "J.json", a_command(type="internalEventDrivenJob"))
    write(tmp_path / "jobs" / "other" / "K.json", a_command("K"))
    assert [fault.path for fault in refused(tmp_path)] == ["jobs/file/J.json $.type", "jobs/other/K.json"]


ESCAPING = b'{"jobplanBundle":1,"documents":{"context/P.json":{"name":"P"},"../x.json":{}}}'


def test_what_is_no_stored_bundle_is_refused() -> None:
    """The document of a plan that was imported without its bundle is null."""
    for raw in (b"null", b"{}", b"{", b'{"jobplanBundle":1}', b'{"jobplanBundle":1,"documents":{}}', ESCAPING):
        with pytest.raises(BundleError):
            Bundle.from_raw(raw)


def test_faults_are_told_in_one_line_each() -> None:
    """Errors first, whatever stands in the names."""
    found = [Fault(path="a", message="b", warning=True), Fault(path="c\n\x1b[2J", message="d\te")]
    assert describe_faults(found) == ["error: c\\n\\x1b[2J: d\\te", "warning: a: b"]


def test_faults_of_jobs_are_told_at_their_files(tmp_path: Path) -> None:
    """A template's too; of two jobs with one name neither's file is guessed."""
    write(tmp_path / "context" / "P.json", a_plan("a/b", "T", "K"))
    write(tmp_path / "jobs" / "internal" / "odd.json", a_command("a/b", daysOfWeekToRun=[9]))
    write(tmp_path / "jobs" / "internalTemplate" / "T.json", a_command("T", timeoutSeconds=-1))
    write(tmp_path / "jobs" / "internal" / "K.json", a_command("K", commandLine=" "))
    write(tmp_path / "jobs" / "internal" / "K2.json", a_command("K", agentName="b"))
    bundle = load(tmp_path)
    assert [fault.path for fault in bundle.located(faults(bundle.source)) if not fault.warning] == [
        "jobs/internal/K $.commandLine",
        "jobs/internal/odd.json $.daysOfWeekToRun[0]",
        "jobs/internalTemplate/T.json $.timeoutSeconds",
    ]
