"""Sends mails; the only importer of aiosmtplib. It knows no templates and no retries: one mail, sent or not."""

from __future__ import annotations

import hashlib
from email.message import EmailMessage

import aiosmtplib

from dashboard_node.channels import MailServer, Tls
from dashboard_node.undelivered import UndeliveredError
from schemas.notifications import Mail, Notification

_SECONDS = 20.0
_PERMANENT = 500
_DENIED = 535


async def send_mail(told: Notification, mail: Mail, subject: str, body: str, server: MailServer) -> None:
    """Send one mail to all its addresses. Raises UndeliveredError."""
    try:
        await aiosmtplib.send(
            _message(told, mail, subject, body, server),
            sender=server.sender,
            recipients=[*mail.to, *mail.cc, *mail.bcc],
            hostname=server.host,
            port=server.real_port,
            username=server.user or None,
            password=server.password(),
            use_tls=server.tls is Tls.TLS,
            start_tls=server.tls is Tls.STARTTLS,
            cert_bundle=server.ca_file or None,
            timeout=_SECONDS,
        )
    except aiosmtplib.SMTPResponseException as error:
        hopeless = error.code >= _PERMANENT and error.code != _DENIED  # a password can be put right
        raise UndeliveredError(f"{server.host}: {error.code} {error.message}", hopeless=hopeless) from error
    except aiosmtplib.SMTPRecipientsRefused as error:
        hopeless = all(one.code >= _PERMANENT for one in error.recipients)
        raise UndeliveredError(f"{server.host}: {error}", hopeless=hopeless) from error
    except (aiosmtplib.SMTPException, OSError, UnicodeDecodeError) as error:
        raise UndeliveredError(f"{server.host}: {error}") from error
    except ValueError as error:  # an address or a header that is none
        raise UndeliveredError(f"not a mail that can be sent: {error}", hopeless=True) from error


def _message(told: Notification, mail: Mail, subject: str, body: str, server: MailServer) -> EmailMessage:
    """The same notification has the same Message-ID, so that one that comes twice can be told."""
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = server.sender
    message["To"] = ", ".join(mail.to)
    if mail.cc:
        message["Cc"] = ", ".join(mail.cc)
    message["Date"] = told.at
    message["Message-ID"] = f"<{hashlib.sha256(told.id.encode()).hexdigest()[:40]}@jobplan>"
    message["X-Jobplan-Id"] = told.id
    message.set_content(body, subtype="html" if mail.html else "plain")
    return message
