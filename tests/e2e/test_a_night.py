"""One night of an operator, told like a transcript: each line is a command as it is typed, and what came of it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.nodes import Installation, a_command, an_installation, write_plan
from tests.support.receivers import Hook, Mailbox, a_mail_server, a_web_server
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(120)

ANNA, CAROL = "anna", "carol"
CHANNELS = """
[notifications.mail]
host = "127.0.0.1"
port = {port}
tls = "none"
sender = "jobplan@example.com"
to = ["carol@example.com"]

[notifications.webhooks.pager]
url = "{url}"
secret-file = "key"
"""


class Night:
    """The commands of a night, each as somebody; all of them have to succeed unless said otherwise."""

    def __init__(self, installation: Installation, box: Mailbox, pager: Hook) -> None:
        self.installation = installation
        self.box = box
        self.pager = pager

    def as_(self, user: str, *words: str) -> str:
        """Type a command; what it wrote."""
        done = self.installation.run(*words, user=user)
        assert done.returncode == 0, f"jobplan {' '.join(words)}: {done.stderr}\n{self.installation.logs()}"
        return done.stdout

    def refused(self, user: str, *words: str) -> str:
        """Type a command that is refused; why."""
        done = self.installation.run(*words, user=user)
        assert done.returncode == 1, f"jobplan {' '.join(words)}: {done.stdout}"
        return done.stderr

    def until_status(self, instance: str, job: str, status: str) -> None:
        """Wait as somebody does who looks again and again."""
        until(
            lambda: self.installation.statuses(instance).get(job) == status,
            within=20.0,
            what=lambda: f"{job} is {status}: {self.installation.statuses(instance)}; {self.installation.logs()}",
        )


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """Anna rules; nothing was granted to anybody else yet. Everybody may look. Who is on call has a mailbox and a pager."""
    with a_mail_server() as (port, box), a_web_server() as pager, an_installation(tmp_path) as nodes:
        (tmp_path / "key").write_text("much secret")
        (tmp_path / "jobplan.toml").write_text(CHANNELS.format(port=port, url=pager.url))
        nodes.start("north", dashboard=("--admin", ANNA))
        night = Night(nodes, box, pager)
        night.as_(ANNA, "user", "grant", "*", "viewer")
        yield night


def a_close(folder: Path) -> Path:
    """Extract, then Load, which fails until its approval is there; then Report. And Archive, on a branch of its own."""
    approval = folder / "approval"
    jobs = [
        a_command("Extract", "echo extracted 17 rows"),
        a_command("Load", f"test -f {approval} && echo loaded || {{ echo no approval >&2; exit 3; }}"),
        a_command("Report", "echo reported"),
        a_command("Archive", "echo archived"),
    ]
    after = {"Extract": [], "Load": ["Extract"], "Report": ["Load"], "Archive": ["Extract"]}
    return write_plan(folder / "FinanceClose", jobs, after)


def test_a_night(night: Night, tmp_path: Path) -> None:
    """Failure, logs read, mended, resubmitted, a held branch released, the instance extended, ended; the audit tells it all."""
    # In the evening: the plan comes in, and Carol may act on what is called Finance...
    bundle = str(a_close(tmp_path))
    assert "'plan.import' needs the role admin" in night.refused(CAROL, "plan", "import", bundle)
    assert night.as_(ANNA, "plan", "import", bundle) == "imported FinanceClose, version 1\n"
    assert (
        night.as_(ANNA, "user", "grant", CAROL, "operator", "--plan", "Finance*") == "carol has: operator of Finance*\n"
    )
    instance = night.as_(CAROL, "instance", "start", "FinanceClose").strip()

    # Archiving has to wait until the tapes are in: its branch is held. The night begins.
    assert night.as_(CAROL, "job", "hold", instance, "Archive") == "held Archive\n"
    assert night.as_(CAROL, "job", "submit", instance, "Extract", "--wait") == "submitted Extract: COMPLETE\n"

    # 3 o'clock: Load has failed. Carol is told of it twice: by mail, and by her pager.
    night.until_status(instance, "Load", "ERROR")
    until(lambda: bool(night.box.mails and night.pager.posts), within=20.0, what="a mail and a page")
    assert night.box.mails[0]["Subject"] == "ERROR: Load of FinanceClose"
    assert night.box.recipients == [["carol@example.com"]]
    assert json.loads(night.pager.posts[0].body)["job"] == "north-Load"

    # Which one is it, why, what did it write?
    found = json.loads(night.as_(CAROL, "search", "--status", "error", "--plan", "Finance*", "--json"))
    assert [job["name"] for job in found["jobs"]] == ["Load"]
    assert "return code 3" in night.as_(CAROL, "job", "why", instance, "Load")
    silent = night.installation.run("job", "logs", instance, "Load", user=CAROL)
    assert (silent.stdout, "--stderr prints its standard error" in silent.stderr) == ("", True)
    assert night.as_(CAROL, "job", "logs", instance, "Load", "--stderr") == "no approval\n"

    # What would follow? Then it is mended, and resubmitted.
    assert "would start" in night.as_(CAROL, "job", "resubmit", instance, "Load", "--preview")
    (tmp_path / "approval").write_text("yes\n")
    assert night.as_(CAROL, "job", "resubmit", instance, "Load", "--wait") == "resubmitted Load: COMPLETE\n"
    night.until_status(instance, "Report", "COMPLETE")

    # The window would be over too soon; the tapes are in; the branch goes on.
    assert "closes" in night.as_(CAROL, "instance", "extend", instance, "--by", "2h")
    assert night.as_(CAROL, "job", "release", instance, "Archive") == "released Archive\n"
    night.until_status(instance, "Archive", "COMPLETE")

    # Draining the host is not hers; ending the instance is.
    assert "'agent.drain' needs the role operator of all plans" in night.refused(CAROL, "agent", "drain", "north")
    assert "ended" in night.as_(CAROL, "instance", "end", instance, "--yes")
    night.installation.wait_for(instance, "ENDED")

    _in_the_morning(night)


def _in_the_morning(night: Night) -> None:
    """Somebody asks what happened."""
    rows = list(csv.DictReader(io.StringIO(night.as_(ANNA, "audit", "export", "--csv", "--plan", "FinanceClose"))))
    assert [int(row["number"]) for row in rows] == sorted(int(row["number"]) for row in rows)
    mine = [(row["job"], row["before"], row["after"]) for row in rows if row["user"] == CAROL and row["kind"] == "job"]
    assert ("north-Archive", "WAITING", "ON_HOLD") in mine
    assert ("north-Load", "ERROR", "WAITING") in mine
    assert ("north-Archive", "ON_HOLD", "WAITING") in mine
    load = [(row["before"], row["after"]) for row in rows if row["job"] == "north-Load" and row["kind"] == "job"]
    assert load == [
        ("WAITING", "RUNNING"),
        ("RUNNING", "ERROR"),
        ("ERROR", "WAITING"),
        ("WAITING", "RUNNING"),
        ("RUNNING", "COMPLETE"),
    ]
    assert [row["user"] for row in rows if row["detail"] == "closes" and row["before"] < row["after"]] == [CAROL]
    assert rows[-1]["after"] == "ENDED" or "ENDED" in {row["after"] for row in rows[-8:]}
    assert all(row["cause"] for row in rows)
    refused = [json.loads(line) for line in night.as_(ANNA, "audit", "export", "--kind", "request").splitlines()]
    assert [row["user"] for row in refused if row["after"] == "refused"] == [CAROL]
