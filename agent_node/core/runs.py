"""How runs begin: accepted, waiting, started, found again after a restart. How they end stands next door (endings)."""

from __future__ import annotations

from hashlib import sha256
from itertools import chain
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from agent_node.core import endings
from agent_node.core.draft import Draft
from agent_node.core.effects import FindProcess, StartProcess
from agent_node.core.events import ProcessEnded
from agent_node.core.lifecycle import Stage, Trigger, advance
from agent_node.core.reconcile import Verdict, forgotten, handed_to, verdict
from agent_node.core.records import ASSIGNMENTS, RUNS, Instant, Run, Stopping
from agent_node.core.rules import MISSING_INSTANCE_GRACE, DryRun
from broker.runtime.core import Heard
from schemas.addresses import AssignmentAt
from schemas.documents import Assignment, RunReport
from schemas.names import JobId, NameFormatError, RunId, instance_of, run_from, run_leaf, unescape
from schemas.plan import CommandJob
from schemas.spans import span
from schemas.status import Outcome, RunPhase

_DAYS_IN_WEEK = 7
_PERCENT = 100
_DRY_FAILURE = 1


def assigned(draft: Draft, run_id: RunId, assignment: Assignment | None) -> None:
    """The dashboard shows this assignment now, or (None) none any more."""
    if assignment is None and draft.get(ASSIGNMENTS, run_id) is None:
        return
    draft.put(ASSIGNMENTS, run_id, assignment)
    run = draft.get(RUNS, run_id)
    if run is not None and run.recovered and assignment is not None:
        run = _complete(draft, run, assignment)
    decided = verdict(assignment, run, draft.life.journal)
    if assignment is not None and decided is Verdict.ACCEPT:
        run = _accept(draft, assignment)
        decided = verdict(assignment, run, draft.life.journal)
    if run is not None:
        _carry_out(draft, decided, run, _why(assignment))


def _carry_out(draft: Draft, decided: Verdict, run: Run, why: str) -> None:
    match decided:
        case Verdict.LOSE:
            reason = "the agent's disk was lost: nobody knows whether it ran"
            endings.end(draft, run, Outcome.LOST, at=draft.now, reason=reason)
        case Verdict.WITHDRAW:
            endings.end(draft, run, Outcome.WITHDRAWN, at=draft.now, reason=why)
        case Verdict.STOP:
            endings.stop(draft, run, Stopping.KILL, why)
        case Verdict.FORGET:
            draft.put(RUNS, run.run, None)
            draft.note_run(run, None, "assignment cleared before the start")
        case Verdict.LET_GO | Verdict.SHOW:
            endings.let_go(draft, run)
        case Verdict.LEAVE | Verdict.ACCEPT:
            pass


def _complete(draft: Draft, run: Run, assignment: Assignment) -> Run:
    """Of a run known from its report alone: how to judge its end stands in its assignment."""
    if not run.stage.active:
        return run
    limit = _limit(draft, assignment.command)
    known = replace(run, success_codes=_success_codes(assignment.command)[1], timeout_seconds=limit)
    if run.stage is Stage.RUNNING and run.stopping is None and run.started is not None:
        known = replace(known, act_at=_time_limit(run.started, limit))
    draft.put(RUNS, run.run, known)
    return known


def _limit(draft: Draft, command: CommandJob) -> float:
    """How long a command may run, in seconds; 0: no limit."""
    own = command.timeout_seconds
    return draft.rules.timeout_seconds if own is None else max(0.0, own)


def _time_limit(started: Instant, limit: float) -> Instant | None:
    return started + span(seconds=limit) if limit else None


def _why(assignment: Assignment | None) -> str:
    return assignment.stop_reason if assignment is not None else ""


def _accept(draft: Draft, assignment: Assignment) -> Run:
    """Write a new run down; it starts when it can (settle)."""
    run = Run(
        run=assignment.run,
        instance=assignment.instance,
        job=assignment.job,
        stage=Stage.WAITING,
        accepted=draft.now,
        timeout_seconds=_limit(draft, assignment.command),
        labels=assignment.command.labels,
        answer_by=_answer_by(draft, assignment),
    )
    draft.put(RUNS, run.run, run)
    draft.note_run(None, run, "assigned")
    return run


def _answer_by(draft: Draft, assignment: Assignment) -> Instant | None:
    """When a run without a published instance is answered; None: it has one, or the picture is not complete."""
    if draft.instance(assignment.instance) is not None or not draft.dashboard_complete:
        return None
    return draft.now + MISSING_INSTANCE_GRACE


def recheck_waiting(draft: Draft) -> None:
    """The picture has changed (dashboard complete, a publication came or went): set who is waiting for a publication."""
    for run_id in [*draft.state.waiting]:
        run = draft.get(RUNS, run_id)
        assignment = draft.get(ASSIGNMENTS, run_id)
        if run is None or run.stage is not Stage.WAITING or assignment is None:
            continue
        answer_by = _answer_by(draft, assignment)
        if (answer_by is None) != (run.answer_by is None):
            draft.put(RUNS, run_id, replace(run, answer_by=answer_by))


def settle(draft: Draft, alone: RunId | None = None) -> None:
    """Start what waits and can be started, in the order of acceptance: its instance is published, none of its job runs here.

    What was handed over before the dashboard had heard of this agent waits until it is handed to the journal kept here (S1).
    What the dashboard holds is ready instead, in the place it would take (S1). Draining keeps all but those that are ready: the
    dashboard's word may be under way to them.

    ``alone``: nothing has happened but that this run was assigned, and waits. Nobody else can begin because of that, and
    thousands may wait.
    """
    if draft.disk_full:
        return
    asking: set[RunId] = set() if alone is None else draft.state.ready.keys() - {alone}
    free = draft.rules.concurrency - draft.active_count() - len(asking)
    waiting = draft.state.ready if draft.wishes.draining else draft.state.waiting
    # Twice does no harm: it does not wait then.
    candidates = chain(waiting, draft.changed_runs()) if alone is None else (alone,)
    for run_id in candidates:
        if free <= 0:
            return
        run = draft.get(RUNS, run_id)
        if run is None or run.stage is not Stage.WAITING or (draft.wishes.draining and not run.ready):
            continue
        assignment = draft.get(ASSIGNMENTS, run_id)
        if assignment is None or draft.instance(run.instance) is None:
            continue
        if draft.busy(run.instance, run.job) or draft.labels_full(run.labels):
            continue
        if assignment.hold:
            draft.put(RUNS, run_id, replace(run, ready=True))
            asking.add(run_id)
        elif handed_to(assignment, draft.life.journal):
            _launch(draft, run, assignment)
        free = draft.rules.concurrency - draft.active_count() - len(asking)


def waits_alone(draft: Draft, event: object) -> RunId | None:
    """The run of which an event says no more than that it is assigned, and which waits; None: it may have let others begin."""
    match event:
        case Heard(address=AssignmentAt(run=run_id), document=Assignment()):
            run = draft.get(RUNS, run_id)
            return run_id if run is not None and run.stage is Stage.WAITING else None
        case _:
            return None


def _launch(draft: Draft, run: Run, assignment: Assignment) -> None:
    """Start it, or end it where it must not or cannot be started. Decided once: a day that changes meanwhile is too late."""
    command = assignment.command
    if not runs_today(command, draft.now, draft.rules.zone):
        endings.end(draft, run, Outcome.NOT_TODAY, at=draft.now, reason="not on this day of the week")
        return
    problem, codes = _success_codes(command)
    if not command.command_line.strip() and not command.arguments:
        problem = "the command line is blank; give the job a commandLine"
    if problem:
        endings.end(draft, run, Outcome.NOT_STARTED, at=draft.now, reason=problem)
        return
    stage = advance(run.stage, Trigger.LAUNCH)
    at_once = draft.state.get(RUNS, run.run) is None
    launched = replace(run, stage=stage, success_codes=codes, answer_by=None, at_once=at_once, boot=draft.rules.boot)
    draft.put(RUNS, run.run, launched)
    draft.note_run(run, launched, "started")
    dry = draft.dry_run_of(run.job)
    if dry is None:
        draft.effects.append(StartProcess(assignment=assignment))
    else:
        _pretend(draft, launched, dry)


def _success_codes(command: CommandJob) -> tuple[str, tuple[int, ...]]:
    """What is wrong with the job's return codes (empty: nothing), and the codes."""
    try:
        return "", tuple(sorted(command.success_codes))
    except ValueError:
        codes = ", ".join(str(code) for code in command.successful_return_codes)
        return f"successfulReturnCodes has an entry that is not a whole number: {codes}", ()


def runs_today(command: CommandJob, now: Instant, zone: str) -> bool:
    """Whether ``daysOfWeekToRun`` (1 = Sunday to 7 = Saturday; none: every day) lets it run now, on the agent's calendar."""
    days = command.days_of_week_to_run
    today = now.astimezone(ZoneInfo(zone)).isoweekday() % _DAYS_IN_WEEK + 1
    return not days or today in days


def _pretend(draft: Draft, run: Run, dry: DryRun) -> None:
    """Dry run: no process; it ends after its time."""
    running = replace(
        run,
        stage=advance(run.stage, Trigger.SEEN),
        started=draft.now,
        act_at=draft.now + span(seconds=dry.seconds),
        dry_run=True,
        pretence=dry,
    )
    draft.put(RUNS, run.run, running)
    if dry.seconds <= 0:
        end_pretence(draft, running)


def end_pretence(draft: Draft, run: Run) -> None:
    """A dry run is over; whether it failed follows from its id, so that a repetition gives the same."""
    dry = run.pretence or draft.rules.dry_run or DryRun()
    draw = int.from_bytes(sha256(run.run.encode()).digest()[:4], "big") % _PERCENT
    code = _DRY_FAILURE if draw < dry.error_percentage else min(run.success_codes, default=0)
    code = code if dry.return_code is None else dry.return_code
    reason = f"dry run: nothing was run; it pretends to return {code}"
    event = ProcessEnded(now=draft.now, run=run.run, at=draft.now, code=code, reason=reason)
    endings.ended(draft, event)


def seen(draft: Draft, run_id: RunId, pid: int, at: Instant, paths: tuple[str, str]) -> None:
    """A run's process lives: just started, or found again. ``paths``: where its output and its errors go."""
    before = draft.get(RUNS, run_id)
    if before is None or not before.stage.active:
        return
    started = before.started or at
    after = replace(
        before,
        stage=advance(before.stage, Trigger.SEEN),
        pid=pid,
        started=started,
        output=paths[0],
        errors=paths[1],
        act_at=_time_limit(started, before.timeout_seconds),
    )
    draft.put(RUNS, run_id, after)
    if before.stage is not after.stage:
        draft.note_run(before, after, "process started")
    assignment = draft.get(ASSIGNMENTS, run_id)
    if after.stopping is not None:  # asked for while it was starting, or in an earlier life
        endings.signal(draft, after, force=False)
    elif assignment is not None and assignment.stop:
        endings.stop(draft, after, Stopping.KILL, assignment.stop_reason)


def unclaimed(draft: Draft, run_id: RunId) -> None:
    """After a restart: its folder was never claimed, so its command never began. Start it, if it is still wanted."""
    run = draft.get(RUNS, run_id)
    if run is None or not run.stage.active:
        return
    assignment = draft.get(ASSIGNMENTS, run_id)
    if (
        run.recovered
        and run.stage is Stage.STARTING
        and assignment is not None
        and not forgotten(assignment, draft.life)
    ):
        draft.put(RUNS, run_id, None)  # nobody has heard that it began: it is judged as one that is new here (S1)
        assigned(draft, run_id, assignment)
    elif run.recovered or run.stage is Stage.RUNNING:
        endings.lost(draft, run_id, "the agent's disk was lost: nobody knows how it ended")
    elif run.boot != draft.rules.boot:  # a claim that was not on disk yet is gone with the power: it proves nothing
        endings.lost(draft, run_id, "the host went down while it was starting: nobody knows whether it began")
    elif run.stopping is not None or (assignment is not None and assignment.stop):
        endings.end(draft, run, Outcome.WITHDRAWN, at=draft.now, reason=_why(assignment))
    elif assignment is None:
        endings.end(draft, run, Outcome.WITHDRAWN, at=draft.now, reason="no longer assigned")
    else:
        draft.put(RUNS, run_id, replace(run, stage=advance(run.stage, Trigger.LAUNCH)))
        draft.effects.append(StartProcess(assignment=assignment))


def due(draft: Draft, run: Run) -> None:
    """A time that a run waited for has come."""
    if run.stage is Stage.WAITING:
        _answer_missing(draft, run)
    elif run.stage is Stage.ENDED:
        endings.unassigned(draft, run)
    elif run.dry_run:
        end_pretence(draft, run)
    elif run.stopping is not None:
        endings.signal(draft, run, force=True)
    elif run.stage is Stage.RUNNING:
        limit = f"took longer than its limit of {run.timeout_seconds:g} s"
        endings.stop(draft, run, Stopping.TIMEOUT, limit)


def _answer_missing(draft: Draft, run: Run) -> None:
    """Its instance did not come in time: say so, unless the picture has become incomplete since."""
    if draft.instance(run.instance) is not None or not draft.dashboard_complete:
        draft.put(RUNS, run.run, replace(run, answer_by=None))
        return
    reason = f"instance {run.instance} is not published to this agent"
    endings.end(draft, run, Outcome.NOT_STARTED, at=draft.now, reason=reason)


def find_all(draft: Draft) -> None:
    """After a restart: find out what became of every run that may have a process."""
    for run_id in sorted(set().union(*draft.state.active.values())):
        run = draft.get(RUNS, run_id)
        if run is not None and not run.dry_run:
            draft.effects.append(FindProcess(run=run_id))


def recover(draft: Draft, report: RunReport) -> None:
    """Our own retained report of a run that the journal does not know: the journal was lost."""
    if draft.get(RUNS, report.run) is not None:
        return
    job = _job_of(report.run)
    if job is None:
        return
    ended = report.phase is RunPhase.ENDED and report.outcome is not None
    run = Run(
        run=report.run,
        instance=instance_of(report.run),
        job=job,
        stage=Stage.RUNNING if report.phase is RunPhase.RUNNING else Stage.STARTING,
        accepted=draft.now,
        recovered=True,
        pid=report.pid,
        started=report.started,
        output=report.output,
        errors=report.errors,
        dry_run=report.dry_run,
    )
    draft.put(RUNS, run.run, run)
    draft.note_run(None, run, "found on the broker, not in the journal")
    if ended and report.outcome is not None:
        at = report.ended or draft.now
        code, reason = report.return_code, report.reason
        endings.end(draft, run, report.outcome, at=at, code=code, reason=reason)
    else:
        draft.effects.append(FindProcess(run=run.run))


def _job_of(run: RunId) -> JobId | None:
    """The job a run is of; None when the id is none of ours."""
    leaf = run_leaf(run)
    try:
        run_from(instance_of(run), leaf)
    except NameFormatError:
        return None
    return JobId(unescape(leaf.split("~")[1]))
