"""``jobplan simulate``: arguments to a played script or night, and what is printed of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from dashboard_node.core.plan_rules import faults
from jobplan.bundle import BundleError, describe_faults, load
from jobplan.simulate.script import Play, ScriptError, read

Echo = Callable[[str], None]

BAD_INPUT = 2


def play_script(plan: Path, script: Path, tokens: Mapping[str, str], *, out: Echo, err: Echo) -> int:
    """Play a script against a plan: a line of answer for each line, then how everything stands. The exit code."""
    try:
        bundle = load(plan, tokens)
    except BundleError as error:
        for line in describe_faults(error.faults):
            err(line)
        return BAD_INPUT
    wrong = [fault for fault in faults(bundle.source) if not fault.warning]
    if wrong:
        for line in describe_faults(wrong):
            err(line)
        return BAD_INPUT
    try:
        lines = read(script.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        err(f"{script}: {error}")
        return BAD_INPUT
    except ScriptError as error:
        err(f"{script}: {error}")
        return BAD_INPUT
    play = Play(bundle.source)
    for outcome in play.play(lines):
        out(msgspec.json.encode(outcome).decode())
    out(msgspec.json.encode({"final": play.final()}).decode())
    return 0
