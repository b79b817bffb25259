"""The channels: mails to a real mail server, posts to a real web server, templates, and their settings."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import msgspec
import pytest
from msgspec.structs import replace

from broker.certificates import make_certificates
from broker.ports import free_port
from dashboard_node.channels import MailServer, Tls, Webhook, load_channels
from dashboard_node.mail import send_mail
from dashboard_node.templates import fill, subject_and_body
from dashboard_node.undelivered import UndeliveredError
from dashboard_node.webhooks import post
from schemas.notifications import Mail, Monitor, Notification
from schemas.tables import SettingError, Table
from tests.support.mosquitto import HOST
from tests.support.receivers import a_mail_server, a_web_server

TOLD = Notification(
    id="P-20260101T010000Z~P~a-J~1~ERROR",
    monitor=Monitor.ERROR,
    at=datetime(2026, 1, 1, 1, tzinfo=UTC),
    plan="P",
    text="J is ERROR",
)
FACTS = {"EMAIL_SUBJECT_TEXT": "ERROR: J of P", "EMAIL_BODY_TEXT": "J is <ERROR>", "EMAIL_JOB_NAME": "J"}


def a_server(port: int, tls: Tls = Tls.NONE) -> MailServer:
    """Settings for a mail server of the test's own."""
    return MailServer(host=HOST, port=port, tls=tls, sender="jobplan@example.com")


async def test_a_mail_arrives_once_for_everybody_it_is_for() -> None:
    """Its id makes the Message-ID; hidden recipients get it and are not in it."""
    mail = Mail(to=("a@x.y", "b@x.y"), cc=("c@x.y",), bcc=("d@x.y",))
    with a_mail_server() as (port, box):
        for _ in range(2):
            await send_mail(TOLD, mail, "subject", "body\n", a_server(port))

    assert box.recipients == [["a@x.y", "b@x.y", "c@x.y", "d@x.y"]] * 2
    assert (box.mails[0]["To"], box.mails[0]["Cc"], box.mails[0]["Bcc"]) == ("a@x.y, b@x.y", "c@x.y", None)
    assert box.mails[0]["X-Jobplan-Id"] == TOLD.id
    assert box.mails[0]["Message-ID"] == box.mails[1]["Message-ID"]
    assert box.mails[0].get_content().strip() == "body"


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # aiosmtpd sees no TLS when all of the connection is private
@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.TLS])
async def test_a_mail_goes_privately_with_a_password(tmp_path: Path, tls: Tls) -> None:
    """Who does not know the password may learn it, so it is tried again; a certificate of nobody we trust is not."""
    made = make_certificates([HOST], datetime.now(UTC))  # noqa: TID251  # certificates are judged by the real clock
    for name, text in (("ca", made.authority), ("cert", made.server), ("key", made.server_key), ("pw", "pass word\n")):
        (tmp_path / name).write_text(text)
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    (tmp_path / "wrong").write_text("password")
    with a_mail_server(context, at_once=tls is Tls.TLS) as (port, box):
        right = replace(a_server(port, tls), user="jobplan", password_file=f"{tmp_path}/pw", ca_file=f"{tmp_path}/ca")
        await send_mail(TOLD, Mail(to=("a@x.y",)), "s", "b", right)
        for wrong in (replace(right, password_file=f"{tmp_path}/wrong"), replace(right, ca_file="")):
            with pytest.raises(UndeliveredError) as error:
                await send_mail(TOLD, Mail(to=("a@x.y",)), "s", "b", wrong)
            assert not error.value.hopeless
            assert "pass" not in str(error.value)

    assert box.recipients == [["a@x.y"]]


async def test_a_mail_that_cannot_arrive_says_whether_to_try_again() -> None:
    """A refused address is hopeless; no server, or one without TLS where it is wanted, may be put right."""
    with a_mail_server() as (port, _):
        for address, server, hopeless in (
            ("x@nowhere.example", a_server(port), True),
            ("a@x.y", a_server(port, Tls.STARTTLS), False),
            ("a@x.y", a_server(free_port()), False),
        ):
            with pytest.raises(UndeliveredError) as error:
                await send_mail(TOLD, Mail(to=(address,)), "s", "b", server)
            assert error.value.hopeless is hopeless, error.value


async def test_a_post_is_signed(tmp_path: Path) -> None:
    """Over timestamp and body, so that neither can be another's."""
    key = tmp_path / "key"
    key.write_text("much secret\n")
    with a_web_server() as hook:
        await post(TOLD, Webhook(url=hook.url, secret_file=str(key)), 1_767_229_200.0)
    (got,) = hook.posts
    signed = b"1767229200." + got.body

    assert msgspec.json.decode(got.body, type=Notification) == TOLD
    assert got.headers["x-jobplan-id"] == TOLD.id
    wanted = "sha256=" + hmac.new(b"much secret", signed, hashlib.sha256).hexdigest()
    assert got.headers["x-jobplan-signature"] == wanted


@pytest.mark.parametrize(("status", "hopeless"), [(500, False), (404, False), (302, False), (410, True), (400, True)])
async def test_a_post_that_is_not_taken(status: int, *, hopeless: bool) -> None:
    """Says what was answered, and whether to try again; a redirect is not followed."""
    with a_web_server() as hook:
        hook.answers = [status]
        with pytest.raises(UndeliveredError, match=str(status)) as error:
            await post(TOLD, Webhook(url=hook.url), 0.0)

    assert error.value.hopeless is hopeless
    assert len(hook.posts) == 1


async def test_nobody_answers() -> None:
    """It is tried again."""
    with pytest.raises(UndeliveredError) as error:
        await post(TOLD, Webhook(url=f"http://{HOST}:{free_port()}/"), 0.0)

    assert not error.value.hopeless


# Templates


def test_ikasans_templates_are_filled() -> None:
    """Its expressions, ours, and what has no value."""
    text = "[(${emailNotificationDetails.emailNotificationTemplateParameters['EMAIL_JOB_NAME']})] ${ team } ${who}"
    assert fill(text, {"EMAIL_JOB_NAME": "J", "team": "ops"}) == "J ops ${who}"


def test_only_the_last_part_of_a_templates_name_counts(tmp_path: Path) -> None:
    """So no plan makes the dashboard read another file."""
    (tmp_path / "error.txt").write_text("${EMAIL_JOB_NAME}: ${EMAIL_BODY_TEXT}")
    (tmp_path.parent / "secret.txt").write_text("secret")
    mail = Mail(body_template="/home/me/error.txt", html=True, parameters=FACTS)
    assert subject_and_body(mail, {}, tmp_path) == ("ERROR: J of P", "J: J is &lt;ERROR&gt;")
    outside = Mail(body_template="../secret.txt", parameters=FACTS)
    assert "secret\n" not in subject_and_body(outside, {}, tmp_path)[1]


def test_scenario_219_a_template_that_is_not_there_is_said(tmp_path: Path) -> None:
    """In the mail, which is sent all the same; a subject has one line."""
    mail = Mail(body_template="none.txt", subject="a\r\nBcc: x@y.z ${EMAIL_JOB_NAME}", parameters=FACTS)
    subject, body = subject_and_body(mail, {}, tmp_path)

    assert subject == "a Bcc: x@y.z J"
    assert "J is <ERROR>" in body
    assert "no template 'none.txt'" in body


# Settings


def a_table(values: dict[str, object]) -> Table:
    """As a file has it."""
    return Table(name="notifications", values=values, file="jobplan.toml")


def test_settings_of_a_file_and_the_environment(tmp_path: Path) -> None:
    """Variables outrank the file; files are meant from where it is."""
    (tmp_path / "pw").write_text("x")
    table = {
        "mail": {"host": "a", "sender": "j@x.y", "user": "u", "password-file": "pw", "to": ["o@x.y"]},
        "webhooks": {"pager": {"url": "https://p", "monitors": ["ERROR"]}},
        "agent-gone-seconds": 5,
    }
    found = load_channels(a_table(table), {"JOBPLAN_MAIL_HOST": "b", "JOBPLAN_MAIL_TO": "p@x.y, q@x.y"}, tmp_path)

    assert (found.mail.host, found.mail.to, found.mail.real_port) == ("b", ("p@x.y", "q@x.y"), 587)
    assert found.mail.password() == "x"
    assert found.rules().webhooks == {"pager": frozenset({Monitor.ERROR})}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"mail": {"host": "a"}}, r"^jobplan.toml: \[notifications.mail\] sender: the address"),
        ({"mail": {"host": "a", "sender": "j@x.y", "user": "u"}}, "goes together"),
        ({"mail": {"hots": "a"}}, r"\[notifications.mail\] hots: unknown key; did you mean 'host'\?"),
        (
            {"mail": {"host": "a", "sender": "j@x.y", "user": "u", "password-file": "none", "tls": "none"}},
            "in the open",
        ),
        ({"webhooks": {"w": {"url": "ftp://x"}}}, r"\[notifications.webhooks.w\] url: https://"),
        ({"webhooks": {"w": {"url": "https://x", "secret-file": "none"}}}, "no such file"),
        ({"monitors": ["FAILED"]}, r"\[notifications\] monitors, item 1: 'FAILED' is not one of"),
        ({"agent-gone-seconds": -1}, "0 or more"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, table: dict[str, object], message: str) -> None:
    """One line that says what to write instead."""
    with pytest.raises(SettingError, match=message):
        load_channels(a_table(table), {}, tmp_path)
