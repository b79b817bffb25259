"""Notifications of a bundle: its `notification/` and `notification_details/`, as Ikasan exports them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from dashboard_node.core.plan_rules import faults
from jobplan.bundle import Bundle, BundleError, export, load
from schemas.notifications import Monitor, NotificationDetails
from schemas.requests import Fault

Object = dict[str, object]

CONTEXT: Object = {
    "contextName": "P",
    "monitorTypes": ["ERROR", "OVERDUE"],
    "emailSendTo": ["${ops}"],
    "emailSendToByMonitorType": {"OVERDUE": ["files@example.com"]},
    "emailSubjectNotificationTemplate": {"ERROR": "${directory}error-subject.txt", "OVERDUE": "overdue-subject.txt"},
    "emailBodyNotificationTemplate": {"ERROR": "${directory}error-body.txt", "OVERDUE": "overdue-body.txt"},
    "html": False,
    "somethingNewer": {"kept": True},
}
DETAILS: Object = {
    "jobName": "J",
    "contextName": "P",
    "childContextName": "P",
    "monitorType": "ERROR",
    "emailNotificationTemplateParameters": {"EMAIL_BODY_TEXT": "call the desk"},
    "emailSendTo": ["desk@example.com"],
    "emailSubject": "",
}


def a_folder(tmp_path: Path, context: object = None, details: object = None, **job: object) -> Path:
    """An unpacked bundle of one job with these two files."""
    entry = {"agentName": "a", "jobName": "J"}
    files = {
        "context/P.json": {"name": "P", "scheduledJobs": [entry], "jobDependencies": [{"jobIdentifier": "a-J"}]},
        "jobs/internal/J.json": {**entry, "commandLine": "true", **job},
        "notification/1-notification.json": CONTEXT if context is None else context,
        "notification_details/J-ERROR.json": DETAILS if details is None else details,
    }
    for name, document in files.items():
        path = tmp_path / "bundle" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document), encoding="utf-8")
    return tmp_path / "bundle"


def told(bundle: Bundle) -> list[Fault]:
    """What the rules find of notifications and deadlines, at the place where it was written."""
    words = ("otification", "deadlines")
    return [fault for fault in bundle.located(faults(bundle.source)) if any(word in fault.path for word in words)]


def test_they_belong_to_the_plan(tmp_path: Path) -> None:
    """So they are kept with its version, and an import that changes only them is another version."""
    source = load(a_folder(tmp_path)).source

    assert source.notifications[0].monitor_types == (Monitor.ERROR, Monitor.OVERDUE)
    assert source.notifications[0].email_send_to == ("${ops}",)
    assert source.notification_details == (
        NotificationDetails(
            job_name="J",
            context_name="P",
            child_context_name="P",
            monitor_type=Monitor.ERROR,
            email_notification_template_parameters={"EMAIL_BODY_TEXT": "call the desk"},
            email_send_to=("desk@example.com",),
        ),
    )


def test_scenario_224_they_are_exported_as_they_were(tmp_path: Path) -> None:
    """Under their file names, with what nobody here knows."""
    out = io.BytesIO()
    export(load(a_folder(tmp_path)), out, millis=1)

    with zipfile.ZipFile(out) as archive:
        assert json.loads(archive.read("1-P/notification/1-notification.json")) == CONTEXT
        assert json.loads(archive.read("1-P/notification_details/J-ERROR.json")) == DETAILS


@pytest.mark.parametrize(
    ("file", "change", "path"),
    [
        ("context", {"monitorTypes": ["ERROR", "FAILED"]}, "notification/1-notification.json $.monitorTypes[1]"),
        ("context", {"emailSendTo": "ops"}, "notification/1-notification.json $.emailSendTo"),
        ("details", {"monitorType": "BROKEN"}, "notification_details/J-ERROR.json $.monitorType"),
        ("details", {"html": "perhaps"}, "notification_details/J-ERROR.json $.html"),
    ],
)
def test_what_is_wrong_is_told_at_its_path(tmp_path: Path, file: str, change: Object, path: str) -> None:
    """In the file it stands in."""
    changed = {**(CONTEXT if file == "context" else DETAILS), **change}
    with pytest.raises(BundleError) as error:
        load(a_folder(tmp_path, **{file: changed}))

    assert [fault.path for fault in error.value.faults if not fault.warning] == [path]


def test_what_has_no_shape_is_refused(tmp_path: Path) -> None:
    """A list in place of an object; a missing monitor."""
    for wrong in ({"details": [DETAILS]}, {"details": {"jobName": "J"}}):
        with pytest.raises(BundleError):
            load(a_folder(tmp_path, **wrong))


def test_a_good_pair_has_no_faults(tmp_path: Path) -> None:
    """Everybody who is told has an address, every type a template."""
    assert told(load(a_folder(tmp_path))) == []


def test_unknown_keys_are_told_and_kept(tmp_path: Path) -> None:
    """As elsewhere in a bundle."""
    ignored = load(a_folder(tmp_path)).ignored
    assert [fault.path for fault in ignored] == ["notification/1-notification.json $.somethingNewer"]


def test_scenario_219_a_type_without_a_template_is_said(tmp_path: Path) -> None:
    """It is told all the same, in our own words."""
    (fault,) = told(load(a_folder(tmp_path, context={**CONTEXT, "monitorTypes": ["ERROR", "OVERDUE", "COMPLETE"]})))

    assert fault.warning
    assert fault.path == "notification/1-notification.json $.monitorTypes"
    assert "COMPLETE has no emailBodyNotificationTemplate" in fault.message


@pytest.mark.parametrize(
    ("file", "change", "path"),
    [
        ("context", {"contextName": "Q"}, "notification/1-notification.json $.contextName"),
        ("context", {"emailSendTo": []}, "notification/1-notification.json $.monitorTypes"),
        (
            "context",
            {"emailSendCcByMonitorType": {"COMPLETE": ["x"]}},
            "notification/1-notification.json $.emailSendCcByMonitorType.COMPLETE",
        ),
        (
            "context",
            {"emailSendBccByMonitorType": {"DONE": ["x"]}},
            "notification/1-notification.json $.emailSendBccByMonitorType.DONE",
        ),
        ("context", {"attachment": "/etc/passwd"}, "notification/1-notification.json $.attachment"),
        ("details", {"jobName": "K"}, "notification_details/J-ERROR.json $.jobName"),
        ("details", {"childContextName": "C"}, "notification_details/J-ERROR.json $.childContextName"),
        ("details", {"emailSendTo": []}, "notification_details/J-ERROR.json $.emailSendTo"),
        ("details", {"monitorType": "OVERDUE"}, "notification_details/J-ERROR.json $.monitorType"),
        ("details", {"attachment": "report.pdf"}, "notification_details/J-ERROR.json $.attachment"),
    ],
)
def test_what_would_tell_nobody_is_a_warning(tmp_path: Path, file: str, change: Object, path: str) -> None:
    """Ikasan says nothing, and sends nothing."""
    changed = {**(CONTEXT if file == "context" else DETAILS), **change}
    found = told(load(a_folder(tmp_path, **{file: changed})))

    assert [(fault.path, fault.warning) for fault in found] == [(path, True)]


@pytest.mark.parametrize(
    ("deadlines", "path", "warning"),
    [
        ({"startBy": "25:00"}, "jobs/internal/J.json $.deadlines.startBy", False),
        ({"endBy": "6"}, "jobs/internal/J.json $.deadlines.endBy", False),
        ({"startWithinSeconds": 0}, "jobs/internal/J.json $.deadlines.startWithinSeconds", False),
        ({"startWithinSeconds": 9, "endWithinSeconds": 8}, "jobs/internal/J.json $.deadlines.endWithinSeconds", True),
        ({"endWithinSeconds": 1e12}, "jobs/internal/J.json $.deadlines.endWithinSeconds", True),
    ],
)
def test_deadlines_are_judged(tmp_path: Path, deadlines: Object, path: str, *, warning: bool) -> None:
    """A time of day is one, and a span lies ahead."""
    found = told(load(a_folder(tmp_path, deadlines=deadlines)))
    assert [(fault.path, fault.warning) for fault in found] == [(path, warning)]


def test_a_plan_of_one_file_may_hold_them(tmp_path: Path) -> None:
    """Beside its jobs, under the names of Ikasan's ContextBundle; faults are told at their place in it."""
    entry = {"agentName": "a", "jobName": "J"}
    plan = {
        "name": "P",
        "scheduledJobs": [entry],
        "jobDependencies": [{"jobIdentifier": "a-J"}],
        "jobs": [{**entry, "commandLine": "true"}],
        "emailNotificationContext": CONTEXT,
        "emailNotificationDetails": [{**DETAILS, "jobName": "K"}],
    }
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan), encoding="utf-8")
    bundle = load(path)

    assert len(bundle.source.notifications) == len(bundle.source.notification_details) == 1
    assert [fault.path for fault in told(bundle)] == ["plan.json $.emailNotificationDetails[0].jobName"]


def test_a_plan_that_never_was_a_bundle_keeps_them(tmp_path: Path) -> None:
    """They are written as Ikasan would."""
    source = load(a_folder(tmp_path)).source
    assert Bundle.from_source(source).source == source
