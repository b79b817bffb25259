"""The page in a browser: the forms in which a plan, or one of its jobs, says whom to tell of what."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.web.site import Site, log_in

pytestmark = pytest.mark.timeout(120)

PLAN = "The plan as JSON"


def fill_and_leave(field: Locator, text: str) -> None:
    """As somebody does who types and goes on with the Tab key."""
    field.fill(text)
    field.press("Tab")


def test_whom_a_plan_wants_told_is_said_in_its_form(page: Page, site: Site, daily: str) -> None:
    """Monitors, addresses, and others for single monitors; what is wrong with it stands there and at its line of the JSON."""
    log_in(page, site, at=f"#/plans/{daily}/form")
    page.get_by_role("button", name="Add notifications").click()
    told = page.get_by_role("group", name="Notifications 1")
    every = told.get_by_role("group", name="Of every job")
    expect(every.locator(".fault").first).to_contain_text("nobody to tell of ERROR")
    fill_and_leave(told.get_by_label("Mail to", exact=True), "ops@example.com, ${team}")
    expect(every.locator(".fault", has_text="nobody to tell")).to_have_count(0)
    every.get_by_label("MISSED").check()
    told.get_by_role("group", name="Of the plan itself").get_by_label("COMPLETE").check()
    told.get_by_label("Mail to others instead: add a monitor", exact=True).select_option("MISSED")
    fill_and_leave(told.get_by_label("Addresses: MISSED"), "night@example.com")
    told.get_by_label("Templates of the text: add a monitor").select_option("ERROR")
    fill_and_leave(told.get_by_label("Template: ERROR"), "error.txt")
    told.get_by_label("Copy to others instead: add a monitor", exact=True).select_option("START")
    copies = told.get_by_role("group", name="Copy to others instead", exact=True)
    expect(copies.locator(".fault")).to_contain_text("START is not in monitorTypes")
    page.get_by_role("link", name="JSON").click()
    text = json.loads(page.get_by_label(PLAN).input_value())
    page.get_by_role("link", name="Form").click()
    told.get_by_role("button", name="Remove “Notifications 1”").click()
    expect(page.get_by_text("The plan asks for none")).to_be_visible()
    page.get_by_role("button", name="Give up the changes").click()

    assert text["notifications"] == [
        {
            "contextName": daily,
            "monitorTypes": ["ERROR", "MISSED"],
            "emailSendTo": ["ops@example.com", "${team}"],
            "planMonitorTypes": ["COMPLETE"],
            "emailSendToByMonitorType": {"MISSED": ["night@example.com"]},
            "emailBodyNotificationTemplate": {"ERROR": "error.txt"},
            "emailSendCcByMonitorType": {"START": []},
        }
    ]


def test_whom_to_tell_of_one_job_is_said_in_its_form_and_follows_its_name(page: Page, site: Site, daily: str) -> None:
    """For one monitor and context; saved, the dashboard has it; a job that goes takes it along."""
    log_in(page, site, at=f"#/plans/{daily}/form")
    page.get_by_role("button", name="Count", exact=True).click()
    page.get_by_role("button", name="Add notifications").click()
    told = page.get_by_role("group", name="When ERROR")
    fill_and_leave(told.get_by_label("Mail to", exact=True), "ops@example.com")
    told.get_by_label("Subject", exact=True).fill("Nothing was counted")
    told.get_by_label("In context").select_option(daily)
    page.get_by_role("group", name=f"When ERROR in {daily}").get_by_label("Of", exact=True).select_option("LATE_END")
    fill_and_leave(page.locator(".sheet").get_by_label("Name", exact=True), "Recount")
    page.get_by_role("link", name="JSON").click()
    text = json.loads(page.get_by_label(PLAN).input_value())
    page.get_by_role("link", name="Form").click()
    page.get_by_role("button", name="Remove Recount").click()
    page.get_by_role("link", name="JSON").click()
    after = json.loads(page.get_by_label(PLAN).input_value())
    page.get_by_role("button", name="Give up the changes").click()

    [details] = text["notification_details"]
    assert details == {
        "jobName": "Recount",
        "contextName": daily,
        "monitorType": "LATE_END",
        "emailSendTo": ["ops@example.com"],
        "emailSubject": "Nothing was counted",
        "childContextName": daily,
    }
    assert "notification_details" not in after


def test_values_for_the_templates_of_one_job_are_rows(page: Page, site: Site, daily: str) -> None:
    """One a name: added, filled, taken out. An attachment that a bundle brought says that it is never sent, and can go."""
    details = {"jobName": "Count", "contextName": daily, "monitorType": "ERROR", "emailSendTo": ["ops@example.com"]}
    log_in(page, site, at=f"#/plans/{daily}/json")
    source = page.get_by_label(PLAN)
    expect(source).to_have_value(re.compile("Count"))
    brought = json.loads(source.input_value()) | {"notification_details": [details | {"attachment": "report.pdf"}]}
    source.fill(json.dumps(brought))
    page.get_by_role("link", name="Form").click()
    page.get_by_role("button", name="Count", exact=True).click()
    attachment = page.get_by_label("Attachment")
    expect(attachment).to_have_value("report.pdf")
    expect(page.locator(".sheet .field", has=attachment).locator(".fault")).to_contain_text("attachments are not sent")
    attachment.fill("")
    expect(attachment).to_have_count(0)

    values = page.get_by_role("group", name="Values for the templates")
    for name in ("DESK", "EMAIL_BODY_TEXT"):
        values.get_by_label("Values for the templates: Name").fill(name)
        values.get_by_role("button", name="Add a value").click()
    expect(values.get_by_label("Values for the templates: Name")).to_have_value("")
    values.get_by_label("Values for the templates: Name").fill("DESK")
    expect(values.get_by_role("button", name="Add a value")).to_be_disabled()
    values.get_by_label("Value: EMAIL_BODY_TEXT").fill("call the desk")
    values.get_by_role("button", name="Remove DESK from Values for the templates").click()
    page.get_by_role("link", name="JSON").click()
    text = json.loads(source.input_value())
    page.get_by_role("button", name="Give up the changes").click()

    assert text["notification_details"] == [
        details | {"emailNotificationTemplateParameters": {"EMAIL_BODY_TEXT": "call the desk"}}
    ]
