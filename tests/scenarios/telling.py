"""Stories told line by line: what happens to a plan, and what must follow from it.

A line reads as in the table of scenarios: ``OK(a) -> init{b} a=C P=R``. Left of the arrow is what happens: ``S`` (a run
started), ``OK`` and ``KO`` (it ended; a clock, file or event job happened), an action of an operator, ``global(g)``,
``wait(60s)`` or ``end``; ``@C1`` says in which context. Right of it stand the runs handed to agents (all of them; none when
nothing is said), ``refused``, and how jobs and contexts stand then, by the letters of the table.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from dashboard_node.core.machine import DashboardCore
from jobplan.simulate.script import Line, Outcome, Play
from schemas.plan import PlanSource
from schemas.status import JobKind
from tests.scenarios.notation import plan
from tests.scenarios.witness import Witness

LETTERS = {
    "W": "WAITING",
    "R": "RUNNING",
    "C": "COMPLETE",
    "E": "ERROR",
    "Ea": "ERROR_ACKNOWLEDGED",
    "X": "KILLED",
    "H": "ON_HOLD",
    "K": "SKIPPED",
    "KC": "SKIPPED_COMPLETE",
    "Q": "LOCK_QUEUED",
    "D": "DISABLED",
    "ENDED": "ENDED",
}
_HAPPENS = re.compile(r"(?P<do>\w+)(?:\((?P<job>[^)]*)\))?(?:@(?P<context>\w+))?(?P<more>.*)")
_INIT = re.compile(r"init\{([^}]*)\}")
_SPAN = re.compile(r"(?P<number>\d+)(?P<unit>ms|s|m|h)")
_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


class Telling:
    """A plan being played, and asked line by line."""

    def __init__(self, source: PlanSource | str, **more: Any) -> None:  # noqa: ANN401  # what `plan` takes
        self.witness = Witness()
        source = plan(source, **more) if isinstance(source, str) else source
        self.play = Play(source, self.witness)
        self._number = 0

    @property
    def core(self) -> DashboardCore:
        """The dashboard behind it."""
        return self.play.world.core

    def tell(self, story: str) -> None:
        """Play the lines of a story, and compare what follows with what they say."""
        for line in filter(None, (line.partition("#")[0].strip() for line in story.splitlines())):
            happens, _, follows = line.partition("->")
            outcome = self.do(happens.strip()) if happens.strip() != "then" else None
            self._compare(line, follows, outcome)

    def do(self, happens: str) -> Outcome:
        """Play one line's left side."""
        self._number += 1
        return self.play.do(self._number, self._line(happens))

    def _line(self, happens: str) -> Line:
        match = _HAPPENS.fullmatch(happens)
        assert match is not None, happens
        do, job = match["do"], match["job"] or ""
        more: dict[str, object] = {"context": match["context"] or "", **_words(match["more"])}
        match do:
            case "wait":
                span = _SPAN.fullmatch(job)
                assert span is not None, happens
                return Line(do="wait", ms=int(span["number"]) * _MS[span["unit"]])
            case "S":
                do = "started"
            case "OK" | "KO":
                more["returnCode"] = int(str(more.pop("rc", "1" if do == "KO" else "0")))
                do = "ended" if self._kind(job) is JobKind.COMMAND else "fired"
            case "ack":
                do, more["continue"] = "acknowledge", more.pop("onward", "") == "yes"
            case "submit" | "resubmit":
                context = more.pop("context")
                more = {"context": context, "parameters": more}
            case _:
                more["held"] = more.pop("held", "") == "yes"
        return msgspec.convert({"do": do, "job": job, **more}, Line)

    def _kind(self, name: str) -> JobKind:
        graph = self.play.world.machine.graph
        return next((copy.kind for copy in graph.copies if name in {copy.id, copy.name}), JobKind.COMMAND)

    def _compare(self, line: str, follows: str, outcome: Outcome | None) -> None:
        if outcome is not None:
            listed = _INIT.search(follows)
            wanted = sorted(listed[1].replace(",", " ").split()) if listed else []
            found = sorted(
                f"{context}/{job}" if f"{context}/{job}" in wanted else job for context, job in outcome.initiated
            )
            assert found == wanted, f"{line}: initiated {outcome.initiated}"
            assert bool(outcome.refused) == ("refused" in follows), f"{line}: {outcome.refused}"
        for name, letter in re.findall(r"([\w./-]+)=(\w+)", _INIT.sub("", follows)):
            assert self.status(name) == LETTERS[letter], f"{line}: {name} is {self.status(name)}"

    def status(self, name: str) -> str:
        """How a context (``C1``), a job in all its contexts (``a``), or in one (``C1/a``), stands."""
        final = self.play.final()
        if name in final.contexts:
            return str(final.contexts[name])
        found = {str(status) for path, status in final.jobs.items() if name in {path, path.partition("/")[2]}}
        assert found, f"there is no {name}"
        assert len(found) == 1, f"{name} stands in several ways: {final.jobs}"
        return found.pop()


def _words(text: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in text.split())


def tell(text: str | PlanSource, story: str, **more: Any) -> Telling:  # noqa: ANN401  # what `plan` takes
    """Play a story against a plan."""
    telling = Telling(text, **more)
    telling.tell(story)
    return telling
