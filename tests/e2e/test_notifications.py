"""A job fails at night: a mail, a signed post and a message on the topic arrive, and the command line tells how it went."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from broker.address import parse_url
from tests.e2e.nodes import PATIENCE, a_command, an_installation, write_plan
from tests.support.receivers import a_listener, a_mail_server, a_web_server
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(120)

SETTINGS = """
[notifications.mail]
host = "127.0.0.1"
port = {port}
tls = "none"
sender = "jobplan@example.com"
to = ["ops@example.com"]

[notifications.webhooks.pager]
url = "{url}"
secret-file = "key"
"""


def test_a_job_fails_at_night(tmp_path: Path) -> None:
    """Told once on each channel; muted, nobody is told; a test arrives all the same."""
    with a_mail_server() as (port, box), a_web_server() as hook:
        (tmp_path / "key").write_text("much secret")
        (tmp_path / "jobplan.toml").write_text(SETTINGS.format(port=port, url=hook.url))
        with an_installation(tmp_path) as nodes:
            nodes.start("north")
            plan = write_plan(tmp_path / "Night", [a_command("Fails", "exit 3")], {"Fails": []})
            nodes.do("plan", "import", str(plan))
            instance = nodes.do("instance", "start", "Night").strip()
            with a_listener(parse_url(nodes.url), "jobplan/v1/notification/Night") as heard:
                nodes.do("job", "submit", instance, "Fails")
                until(
                    lambda: bool(box.mails and hook.posts and heard),
                    within=PATIENCE,
                    what="a mail, a post and a message",
                )

            assert box.mails[0]["Subject"] == "ERROR: Fails of Night"
            assert hook.posts[0].headers["x-jobplan-signature"].startswith("sha256=")
            told = json.loads(hook.posts[0].body)
            assert [json.loads(one.payload) for one in heard] == [told]
            assert (told["monitor"], told["plan"], told["id"]) == ("ERROR", "Night", box.mails[0]["X-Jobplan-Id"])

            def delivered() -> bool:
                found = json.loads(nodes.do("notification", "list", "Night", "--json"))
                ways = found["notifications"][0]["deliveries"]
                return {name: one.get("state", "pending") for name, one in ways.items()} == dict.fromkeys(
                    ("mqtt", "mail", "webhook pager"), "sent"
                )

            until(delivered, within=PATIENCE, what="all three sent")

            nodes.do("notification", "mute", "Night", "--until", "1h", "--reason", "new disks")
            nodes.do("job", "resubmit", instance, "Fails")
            until(
                lambda: "muted" in nodes.do("notification", "list", "Night", "--state", "muted"),
                within=PATIENCE,
                what="the second failure on record",
            )
            assert len(box.mails) == len(hook.posts) == 1
            nodes.do("notification", "test", "Night")
            until(lambda: len(box.mails) == 2, within=PATIENCE, what="the test")
            assert box.mails[1]["Subject"] == "TEST: Night"
            nodes.do("notification", "unmute", "Night")
