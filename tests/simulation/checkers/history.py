"""S4 and S6: what is final stays final, every change has its row, and what a person was told stays done."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from broker.runtime.core import AuditRow
from schemas.names import InstanceId, RunId, instance_of, run_leaf, unescape
from schemas.queries import ReadAudit
from schemas.requests import Act, Action, Answer, Asked, EndInstance
from tests.simulation.checkers.reading import DASHBOARD, ENDED, Ledger, place_of
from tests.simulation.trace import (
    FolderLost,
    Found,
    Listener,
    PersonAnswered,
    PersonAsked,
    PromiseBrokenError,
    PutBack,
    Record,
    Saved,
)

BEGINNINGS = frozenset({"", "WAITING", "ON_HOLD", "SKIPPED", "DISABLED", "PREPARED"})
BUSY = "too many requests wait here"
"""A refusal that decides nothing: to be asked again."""
A_PERSONS = frozenset({"ON_HOLD", "DISABLED"})
"""What only a person, or the end of the instance, takes back."""
BECOMES = {
    Action.HOLD: {"ON_HOLD"},
    Action.DISABLE: {"DISABLED"},
    Action.SKIP: {"SKIPPED", "SKIPPED_COMPLETE"},
    Action.ACKNOWLEDGE: {"ERROR_ACKNOWLEDGED"},
}
"""What an action is certain to make of a job."""


class Chain:
    """S4: of each job, context, instance and run, one unbroken chain of changes, with an end that is one."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        ledger.before_row.append(self._judge)
        self._ended: dict[RunId, str] = {}
        self._removed: set[str] = set()
        self._made_again = False
        """Whether the dashboard lost its disk, and with it who released what."""
        self.hears: Mapping[type[Record], Listener] = {Found: self._found}

    def _found(self, record: Found) -> None:
        """The trail is gone with the disk; statuses go on from what is shown."""
        if record.node == DASHBOARD:
            self._ended.clear()
            self._removed.clear()
            self._made_again = True

    def _judge(self, row: AuditRow) -> None:
        if row.instance in self._removed and row.kind != "notification":  # people may be told of it later still
            raise PromiseBrokenError("S4", f"{row.instance} was removed, and changes: {row}")
        if row.kind == "instance" and row.after == "removed":
            self._removed.add(row.instance)
        if row.kind == "run" and row.run and row.after in _OUTCOMES:
            if row.run in self._ended:
                raise PromiseBrokenError(
                    "S4", f"{row.run} ends as {row.after}, and had ended as {self._ended[RunId(row.run)]}"
                )
            self._ended[RunId(row.run)] = row.after
        place = place_of(row)
        if place is None:
            return
        known = self._ledger.status.get(place)
        if known is None and row.before not in BEGINNINGS:
            raise PromiseBrokenError("S4", f"{place} begins as {row.before}")
        if known is not None and row.before and known not in {row.before, row.after}:
            raise PromiseBrokenError("S4", f"{place} was {known}, and changes from {row.before} to {row.after}")
        root = (place[0], place[0].partition("-")[0], "")
        if self._ledger.status.get(root) == ENDED:
            raise PromiseBrokenError("S4", f"{place[0]} has ended, and {place[1:]} becomes {row.after}")
        released = known == "ON_HOLD" and row.detail.startswith("it had been released") and self._made_again
        if known in A_PERSONS and row.kind == "job" and not row.cause.startswith("request ") and not released:
            raise PromiseBrokenError(
                "S6", f"{place} was {known} because a person said so, and leaves it by '{row.cause}'"
            )


class _AnswerRow(Struct):
    """A saved answer."""

    request: str
    answer: Answer


class Word:
    """S6: an answered request was decided once, is saved with its answer, and what it promises is there."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        ledger.after_rows.append(self._saved)
        self._asked: dict[str, Asked] = {}
        self._answers: dict[str, Answer] = {}
        self._acted: dict[str, int] = {}
        self._saves = 0
        self.hears: Mapping[type[Record], Listener] = {
            PersonAsked: self._ask,
            PersonAnswered: self._told,
            Found: self._found,
            PutBack: self._went_back,
        }
        self._lost: set[str] = set()
        """Requests whose answers are gone: who asks once more is answered anew."""

    def _found(self, record: Found) -> None:
        if record.node == DASHBOARD:
            self._lost |= self._asked.keys()
            self._answers.clear()
            self._acted.clear()

    def _went_back(self, record: PutBack) -> None:
        if record.node == DASHBOARD:
            self._lost |= self._asked.keys() - self._answers.keys()

    def _ask(self, record: PersonAsked) -> None:
        if not record.agent:
            self._asked[record.request] = record.asked

    def _told(self, record: PersonAnswered) -> None:
        if record.request not in self._asked or isinstance(self._asked[record.request], ReadAudit):
            return  # an agent's answer, or one that promises nothing
        saved = self._answers.get(record.request)
        if saved is None and record.request in self._lost:
            return  # it was under way when the disk was lost
        if saved != record.answer and not record.answer.reason.startswith(BUSY):
            raise PromiseBrokenError("S6", f"{record.request} is answered {record.answer}, and saved is {saved}")

    def _saved(self, saved: Saved) -> None:
        self._saves += 1
        for row in saved.audit:
            if row.cause.startswith("request "):
                request = row.cause.removeprefix("request ")
                if self._acted.setdefault(request, self._saves) != self._saves:
                    raise PromiseBrokenError("S6", f"{request} is acted upon a second time: {row}")
        for record in saved.rows:
            if record.table == "answer" and record.body is not None:
                self._decided(saved, msgspec.json.decode(record.body, type=_AnswerRow))

    def _decided(self, saved: Saved, row: _AnswerRow) -> None:
        if row.request in self._answers:
            raise PromiseBrokenError("S6", f"{row.request} is decided a second time")
        self._answers[row.request] = row.answer
        asked = self._asked.get(row.request)
        if not row.answer.ok:
            return
        if isinstance(asked, Act) and not asked.preview:
            self._acted_on(saved, row, asked)
        elif isinstance(asked, EndInstance) and self._ledger.is_active(asked.instance):
            raise PromiseBrokenError("S6", f"{row.request} was to end {asked.instance}, which is active")

    def _acted_on(self, saved: Saved, row: _AnswerRow, asked: Act) -> None:
        for done in msgspec.json.decode(row.answer.data)["done"]:
            context, job = done["context"], done["job"]
            if asked.action is Action.KILL:
                self._killed(asked.instance, context, job)
            wanted = BECOMES.get(asked.action, set())
            cause = f"request {row.request}"
            became = {r.after for r in saved.audit if r.cause == cause and (r.context, r.job) == (context, job)}
            if wanted and not wanted & became:
                raise PromiseBrokenError(
                    "S6", f"{row.request} was to {asked.action} {context}/{job}, which became {became}"
                )

    def _killed(self, instance: InstanceId, context: str, job: str) -> None:
        runs = [row for row in self._ledger.runs.values() if row.instance == instance and _job(row.id) == job]
        if not any(row.stop or row.phase == "ended" for row in runs):
            raise PromiseBrokenError(
                "S6", f"{context}/{job} of {instance} was to be killed, and no run of it is to stop"
            )


def _job(run: RunId) -> str:
    return unescape(run_leaf(run).split("~")[1])


class LastWord:
    """S4 on the agents: a run that has ended there stays as it ended, as long as its instance and the disk are there."""

    def __init__(self) -> None:
        self._ended: dict[tuple[str, str], object] = {}
        self.hears: Mapping[type[Record], Listener] = {Saved: self._saved, FolderLost: self._lost}

    def _lost(self, record: FolderLost) -> None:
        if record.run is None:
            self._ended = {key: value for key, value in self._ended.items() if key[0] != record.host}

    def _saved(self, saved: Saved) -> None:
        if saved.node == DASHBOARD:
            return
        gone = {row.key for row in saved.rows if row.table == "instance" and row.body is None}
        for row in saved.rows:
            key = (saved.node, row.key)
            if row.table == "run" and (row.body is None or instance_of(RunId(row.key)) in gone):
                self._ended.pop(key, None)
            if row.table == "run" and row.body is not None:
                run = msgspec.json.decode(row.body)
                end = (run.get("outcome"), run.get("return_code"), run.get("ended"))
                if key in self._ended and self._ended[key] != end:
                    raise PromiseBrokenError("S4", f"{row.key} ended on {saved.node} as {self._ended[key]}, now {end}")
                if run["stage"] == "ended":
                    self._ended[key] = end


_OUTCOMES = frozenset({"succeeded", "failed", "killed", "timedOut", "notStarted", "notToday", "withdrawn", "lost"})
