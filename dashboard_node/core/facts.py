"""What a template may speak of: the values of Ikasan's template parameters for a notification. Pure."""

from __future__ import annotations

from urllib.parse import quote

from dashboard_node.core.graph import Copy
from dashboard_node.core.records import CopyRecord
from dashboard_node.core.state import State
from schemas.notifications import Notification
from schemas.plan import FileJob


def facts_of(
    state: State, told: Notification, copy: Copy | None = None, record: CopyRecord | None = None
) -> dict[str, str]:
    """Every parameter by its name; what does not apply is empty."""
    job = copy.artefact if copy is not None else None
    files = job if isinstance(job, FileJob) else None
    about = copy.name if copy is not None else (told.job or told.plan or told.agent)
    fired = record.started if record is not None else None
    link = link_of(state.telling.page, told)
    return {
        "EMAIL_SUBJECT_TEXT": f"{told.monitor}: {about}" + (f" of {told.plan}" if told.plan not in {"", about} else ""),
        "EMAIL_BODY_TEXT": told.text,
        "EMAIL_BODY_MESSAGE_FROM_MONITOR": told.text,
        "EMAIL_SUBJECT_LINK": link,
        "EMAIL_BODY_LINK_1": link,
        "EMAIL_BODY_LINK_2": link,
        "EMAIL_AGENT_NAME": told.agent,
        "EMAIL_CONTEXT_NAME": told.plan,
        "EMAIL_CHILD_CONTEXT": told.context,
        "EMAIL_JOB_NAME": copy.name if copy is not None else told.job,
        "EMAIL_FILE_NAME": ", ".join(files.filenames) if files is not None else "",
        "EMAIL_FILE_PATH": files.file_path if files is not None else "",
        "EMAIL_FIRE_TIME": fired.isoformat() if fired is not None else "",
    }


def link_of(page: str, told: Notification) -> str:
    """Where the page shows it; empty without an address of the page, or without an instance."""
    if not page or not told.instance:
        return ""
    parts = [told.instance, *(["job", told.context, told.job] if told.job and told.context else [])]
    return f"{page.rstrip('/')}/#/instances/" + "/".join(quote(part, safe="") for part in parts)
