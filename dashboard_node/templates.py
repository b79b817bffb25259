"""The texts of mails: templates out of one folder, filled with what has happened; without one, our own words. No code runs.

A plan names a template by a path, as Ikasan does; only its last part counts, so no plan makes the dashboard read any other file.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from typing import Final

from schemas.notifications import Mail

_EXPRESSION = re.compile(r"\[[\[(]\s*\$\{[^}]*?(EMAIL_[A-Z0-9_]+)[^}]*\}\s*[\])]\]")
"""Ikasan's own templates (Thymeleaf) write ``[(${...['EMAIL_JOB_NAME']})]``: whatever stands around the parameter is left out."""
_KEY = re.compile(r"\$\{([^{}]+)\}")
_SUBJECT: Final = "${EMAIL_SUBJECT_TEXT}"
_BODY: Final = """${EMAIL_BODY_TEXT}

plan     ${EMAIL_CONTEXT_NAME}
context  ${EMAIL_CHILD_CONTEXT}
job      ${EMAIL_JOB_NAME}
agent    ${EMAIL_AGENT_NAME}

${EMAIL_BODY_LINK_1}
"""


def fill(template: str, values: Mapping[str, str], *, as_html: bool = False) -> str:
    """Every ``${name}`` replaced by its value; a name without one stays. In HTML values are text, never markup."""

    def put(found: re.Match[str]) -> str:
        value = values.get(found[1].strip())
        if value is None:
            return found[0]
        return html.escape(value) if as_html else value

    return _KEY.sub(put, _EXPRESSION.sub(r"${\1}", template))


def subject_and_body(mail: Mail, properties: Mapping[str, str], folder: Path) -> tuple[str, str]:
    """Subject and body. A template that is not there is said in the mail itself, and our own words are used."""
    values = {**properties, **mail.parameters}
    subject, no_subject = _template(mail.subject_template, mail.subject, _SUBJECT, folder)
    body, no_body = _template(mail.body_template, mail.body, "", folder)
    amiss = "; ".join(dict.fromkeys(word for word in (no_subject, no_body) if word))
    written = fill(body or _BODY, values, as_html=mail.html and bool(body))
    if mail.html and not body:
        written = f"<pre>{html.escape(written)}</pre>"
    note = f"\n(jobplan: {amiss})\n" if amiss else ""
    return " ".join(fill(subject, values).split()), written + (html.escape(note) if mail.html else note)


def _template(name: str, literal: str, default: str, folder: Path) -> tuple[str, str]:
    """The template of a name, else the text that the plan gives, else ours."""
    if not name:
        return literal or default, ""
    file = folder / PureWindowsPath(name).name
    try:
        return file.read_text(encoding="utf-8"), ""
    except (OSError, ValueError):
        return literal or default, f"no template '{file.name}' in {folder}: the words are ours"
