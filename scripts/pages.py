"""Writes the parts of pages that are made from the code: ``python scripts/pages.py`` (``make pages``).

A part stands between ``<!-- NAME: ... -->`` and ``<!-- /NAME -->``; some files are made whole. A test compares all of them with
what this would write.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from broker.metrics.table import TABLE as METRICS  # noqa: E402  # found through the path above
from broker.topic_table import TABLE  # noqa: E402  # likewise
from dashboard_node.core.lifecycle import CONTEXT_RULES, TRANSITIONS, Stage, Trigger, shown  # noqa: E402  # likewise
from jobplan import __version__  # noqa: E402  # likewise
from jobplan.client.symptoms import SYMPTOMS  # noqa: E402  # likewise
from jobplan.describing import asyncapi  # noqa: E402  # likewise
from schemas.grants import Extent  # noqa: E402  # likewise
from schemas.rights import rights  # noqa: E402  # likewise


def topics() -> str:
    """The table of topics."""
    lines = ["| topic | writer | retained | shows |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{row.pattern}` | {row.writer} | {'yes' if row.retained else 'no'} | {row.shows.rstrip('.')} |"
        for row in TABLE
    ]
    return "\n".join(lines)


def transitions() -> str:
    """What moves a job from which stage to which."""
    lines = ["| trigger | from | to |", "| --- | --- | --- |"]
    for trigger in Trigger:
        sources = [stage for stage in Stage if (stage, trigger) in TRANSITIONS]
        if sources:
            lines.append(f"| {trigger} | {', '.join(sources)} | {TRANSITIONS[sources[0], trigger]} |")
    return "\n".join(lines)


def diagram() -> str:
    """The same as a picture."""
    edges: dict[tuple[Stage, Stage], list[str]] = {}
    for (source, trigger), target in TRANSITIONS.items():
        edges.setdefault((source, target), []).append(trigger)
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {Stage.WAITING}"]
    lines += [f"    {source} --> {target}: {', '.join(triggers)}" for (source, target), triggers in edges.items()]
    return "\n".join([*lines, "```"])


def statuses() -> str:
    """Which status is shown for which stage and wish."""
    lines = ["| stands | wanted | shown |", "| --- | --- | --- |"]
    for stage in Stage:
        for wish in ("", "held", "skipped", "disabled", "acknowledged"):
            wishes = {name: name == wish for name in ("held", "skipped", "disabled", "acknowledged")}
            status = shown(stage, **wishes)
            if not wish or status is not shown(stage, **dict.fromkeys(wishes, False)):
                lines.append(f"| {stage} | {wish} | {status} |")
    return "\n".join(lines)


def contexts() -> str:
    """How a context stands, first rule first."""
    lines = ["| # | status | when |", "| --- | --- | --- |"]
    lines += [f"| {number} | {status} | {when} |" for number, (status, when) in enumerate(CONTEXT_RULES, start=1)]
    return "\n".join(lines)


def needed() -> str:
    """Which role each request needs."""
    whose = {Extent.ANY: "", Extent.PLAN: " of its plan", Extent.ALL: " of all plans"}
    lines = ["| needs | requests |", "| --- | --- |"]
    by_right: dict[str, list[str]] = {}
    for ask, right in rights().items():
        by_right.setdefault(f"{right.role}{whose[right.of]}", []).append(f"`{ask}`")
    lines += [f"| {right} | {', '.join(asks)} |" for right, asks in by_right.items()]
    return "\n".join(lines)


def metrics() -> str:
    """The table of metrics."""
    lines = ["| metric | kind | labels | of | means |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| `{one.series}` | {one.kind} | {', '.join(f'`{label}`' for label in one.labels)} | "
        f"{' and '.join(role.value for role in one.of)} | {one.means} |"
        for one in METRICS
    ]
    return "\n".join(lines)


def symptoms() -> str:
    """What the doctor finds; what is filled in stands in capitals."""
    lines = ["| symptom | grade | what | how it is | what to do |", "| --- | --- | --- | --- | --- |"]
    for one in SYMPTOMS:
        told = (re.sub(r"\{(\w+)\}", lambda fact: fact[1].upper(), text) for text in (one.what, one.detail, one.advice))
        lines.append(f"| `{one.name}` | {one.grade} | {' | '.join(told)} |")
    return "\n".join(lines)


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "ARCHITECTURE.md": {"topics": topics},
    "docs/roles.md": {"rights": needed},
    "docs/metrics.md": {"metrics": metrics},
    "docs/doctor.md": {"symptoms": symptoms},
    "docs/statuses.md": {
        "statuses": statuses,
        "transitions": transitions,
        "diagram": diagram,
        "contexts": contexts,
    },
}


def topics_for_tools() -> str:
    """The topics as an AsyncAPI document."""
    return json.dumps(asyncapi(__version__), indent=1, ensure_ascii=False) + "\n"


WHOLE: dict[str, Callable[[], str]] = {"docs/asyncapi.json": topics_for_tools}


def page(name: str) -> str:
    """What a page ought to be: as it is, with its made parts made again."""
    if name in WHOLE:
        return WHOLE[name]()
    text = (ROOT / name).read_text(encoding="utf-8")
    for part, make in PARTS[name].items():
        mark = re.compile(rf"(<!-- {part}:[^>]*-->\n).*?(<!-- /{part} -->)", re.DOTALL)
        if mark.search(text) is None:
            raise SystemExit(f"{name} has no place for '{part}'")
        text = mark.sub(rf"\g<1>{make().replace(chr(92), chr(92) * 2)}\n\g<2>", text)
    return text


def main() -> None:
    """Write all pages."""
    for name in (*PARTS, *WHOLE):
        (ROOT / name).write_text(page(name), encoding="utf-8")


if __name__ == "__main__":
    main()
