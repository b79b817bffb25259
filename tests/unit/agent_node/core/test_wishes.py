"""What operators switch on an agent: dry run, draining, clock and file jobs by hand. All of it outlives a restart."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from agent_node.core import wishes
from agent_node.core.effects import Effect, StartProcess, UnwatchFolders, WatchFolders
from agent_node.core.events import DiskSeen
from agent_node.core.rules import DryRun, Rules
from broker.runtime.core import Reply, Requested
from schemas.documents import Condition
from schemas.names import InstanceId, RequestId, RunId, UserName
from schemas.requests import AgentRequest, Answer, Drain, SetDryRun, SwitchWatch
from schemas.status import Outcome
from tests.support.agents import (
    AGENT,
    INSTANCE,
    NOON,
    RULES,
    SECOND,
    HandDriven,
    a_clock,
    a_command,
    a_file_job,
    a_publication,
    a_run,
    an_assignment,
)

RUN = a_run()
FILE, CLOCK = a_file_job().id, a_clock().id


def an_agent(rules: Rules = RULES) -> HandDriven:
    """An agent to which an instance is published."""
    agent = HandDriven(rules=rules)
    agent.dashboard()
    agent.publish()
    return agent


def ask(agent: HandDriven, wish: AgentRequest) -> tuple[Answer, list[Effect]]:
    """Ask for something; the answer, and what else it led to."""
    effects = agent.give(Requested(agent.now, UserName("anna"), RequestId("r"), Raw(msgspec.json.encode(wish))))
    return next(effect.answer for effect in effects if isinstance(effect, Reply)), effects


def starts(effects: list[Effect]) -> list[RunId]:
    """The runs that are asked to start."""
    return [effect.assignment.run for effect in effects if isinstance(effect, StartProcess)]


def test_drained_agent_starts_nothing_and_finishes_what_runs() -> None:
    """Until it drains no more; a restart changes nothing."""
    agent = an_agent()
    agent.assign()
    agent.started(RUN)
    answer, _ = ask(agent, Drain())
    waits = agent.assign(an_assignment(a_command(job="other")))
    agent.ended(RUN)
    again = agent.start()
    said = wishes.condition(agent.core.state)

    _, effects = ask(agent, Drain(draining=False))

    assert answer.ok
    assert starts(waits) == []
    assert starts(again) == []
    assert said == Condition(draining=True)
    assert agent.ending(RUN).outcome is Outcome.SUCCEEDED
    assert starts(effects) == [a_run(job="other")]
    assert [(row.kind, row.after, row.user) for row in agent.audit if row.kind == "agent"] == [
        ("agent", "drains", "anna"),
        ("agent", "drains no more", "anna"),
    ]


def test_dry_run_of_an_agent_is_switched() -> None:
    """On, off, and back to what the settings say; the presence says which."""
    agent = an_agent(Rules(agent=AGENT, zone="UTC", dry_run=DryRun()))
    said, started = [], []
    for attempt, on in enumerate((None, False, True), start=1):
        ask(agent, SetDryRun(on=on))
        agent.start()
        said.append(wishes.pretends(agent.core.state))
        started.append(starts(agent.assign(an_assignment(a_command(job=f"j{attempt}")))))

    assert said == [True, False, True]
    assert started == [[], [a_run(job="j2")], []]


def test_dry_run_of_a_job_has_its_own_outcome_and_time() -> None:
    """A return code judged by the job's own list; everything shown says that nothing was run."""
    agent = an_agent()
    pretended = a_command(job="pretended", successfulReturnCodes=["3"])
    ask(agent, SetDryRun(on=True, job=pretended.id, seconds=5, return_code=3))
    effects = agent.assign(an_assignment(pretended)) + agent.assign(an_assignment())
    run = a_run(job="pretended")
    lives = agent.report(run)
    agent.wait_until(NOON + 5 * SECOND)
    end = agent.ending(run)
    said = wishes.condition(agent.core.state)
    ask(agent, SetDryRun(on=False, job=pretended.id))
    after = agent.assign(an_assignment(pretended, attempt=2))

    assert starts(effects) == [RUN]
    assert lives is not None
    assert lives.dry_run
    assert (end.outcome, end.return_code, end.dry_run) == (Outcome.SUCCEEDED, 3, True)
    assert "nothing was run" in end.reason
    assert said.dry_jobs == (pretended.id,)
    assert starts(after) == [a_run(2, job="pretended")]


def test_run_keeps_the_pretence_it_began_with() -> None:
    """Whatever is switched meanwhile."""
    agent = an_agent()
    ask(agent, SetDryRun(on=True, seconds=5, return_code=7))
    agent.assign()
    ask(agent, SetDryRun(on=False))
    agent.wait_until(NOON + 5 * SECOND)

    assert agent.ending(RUN).return_code == 7


def test_dry_run_of_a_file_job_fires_with_chosen_files() -> None:
    """Once, at once; what arrives meanwhile is not looked at, and is there when the dry run is over."""
    agent = an_agent()
    agent.provision(a_file_job())
    ask(agent, SetDryRun(on=True, job=FILE, files=("/d/x", "/d/y")))
    chosen = agent.fires(FILE)
    agent.see(FILE, [("/d/real", NOON)])
    meanwhile = agent.fires(FILE)
    ask(agent, SetDryRun(on=False, job=FILE))
    agent.see(FILE, [("/d/real", NOON)])

    assert [(fire.files, fire.reason) for fire in chosen] == [(("/d/x", "/d/y"), "dry run: these files were chosen")]
    assert meanwhile == chosen
    assert [fire.files for fire in agent.fires(FILE)][1:] == [("/d/real",)]


@pytest.mark.parametrize(("wish", "word"), [
    (SetDryRun(on=True, seconds=-1), "seconds"),
    (SetDryRun(on=True, error_percentage=101), "percentage"),
    (SetDryRun(on=True, files=("/x",)), "name the file job"),
    (SetDryRun(on=True, job="north-none", files=("/x",)), "no file job 'north-none'"),
    (SetDryRun(on=True, job="Load"), "begin with 'north-' or 'any:LABEL-'"),
    (SetDryRun(on=True, job="south-Load"), "can be no job here"),
    (SwitchWatch(instance=InstanceId("none"), job=CLOCK), "not published"),
    (SwitchWatch(instance=INSTANCE, job="north-none"), "no clock or file job"),
    (SwitchWatch(instance=INSTANCE, job="north-never"), "DISABLED"),
])  # fmt: skip
def test_wish_that_cannot_be_is_refused(wish: AgentRequest, word: str) -> None:
    """With the reason; nothing has changed."""
    agent = an_agent()
    agent.provision(a_clock(), a_clock(job="never", startupControlType="DISABLED"))
    saved = dict(agent.saved)
    answer, _ = ask(agent, wish)

    assert not answer.ok
    assert word in answer.reason
    assert agent.saved == saved


def test_scenario_211_manual_jobs_wait_for_an_operator() -> None:
    """Started by hand they fire, also after a restart; stopped again they rest; the switch goes with the instance."""
    agent = an_agent()
    resting = agent.provision(
        a_clock("* * * * * ?", startupControlType="MANUAL"), a_file_job(startupControlType="MANUAL")
    )
    agent.wait_until(NOON + 5 * SECOND)
    before = agent.fires(CLOCK)
    ask(agent, SwitchWatch(instance=INSTANCE, job=CLOCK))
    _, looking = ask(agent, SwitchWatch(instance=INSTANCE, job=FILE))
    again = agent.start()
    agent.wait_until(NOON + 7 * SECOND)
    fired = agent.fires(CLOCK)
    ask(agent, SwitchWatch(instance=INSTANCE, job=CLOCK, on=False))
    _, rests = ask(agent, SwitchWatch(instance=INSTANCE, job=FILE, on=False))
    agent.wait_until(NOON + 9 * SECOND)
    still = agent.fires(CLOCK)
    agent.remove()

    assert [effect for effect in resting if isinstance(effect, WatchFolders)] == []
    assert before == ()
    assert [type(effect) for effect in looking if not isinstance(effect, Reply)] == [WatchFolders]
    assert [effect for effect in again if isinstance(effect, WatchFolders)] != []
    assert len(fired) == 2
    assert still == fired
    assert UnwatchFolders(instance=INSTANCE, job=FILE) in rests
    assert [key for key in agent.saved if key.table == "switch"] == []


def test_automatic_job_is_stopped_and_started_by_hand() -> None:
    """The operator's word comes before the plan's."""
    agent = an_agent()
    agent.provision(a_clock("* * * * * ?"))
    ask(agent, SwitchWatch(instance=INSTANCE, job=CLOCK, on=False))
    agent.wait_until(NOON + 3 * SECOND)
    stopped = agent.fires(CLOCK)
    ask(agent, SwitchWatch(instance=INSTANCE, job=CLOCK))
    agent.wait_until(NOON + 4 * SECOND)

    assert stopped == ()
    assert [fire.due for fire in agent.fires(CLOCK)] == [NOON + 4 * SECOND]


def test_full_disk_starts_nothing_and_goes_on_reporting() -> None:
    """What runs ends and is told of; what waits starts when there is space again; a restart changes nothing."""
    agent = an_agent()
    agent.assign()
    agent.started(RUN)
    agent.give(DiskSeen(now=agent.now, full=True))
    waits = agent.assign(an_assignment(a_command(job="other")))
    again = agent.start()
    agent.ended(RUN)
    said = wishes.condition(agent.core.state)
    agent.give(DiskSeen(now=agent.now, full=True))

    effects = agent.give(DiskSeen(now=agent.now, full=False))

    assert starts(waits) + starts(again) == []
    assert said.disk_full
    assert agent.ending(RUN).outcome is Outcome.SUCCEEDED
    assert starts(effects) == [a_run(job="other")]
    assert not wishes.condition(agent.core.state).disk_full
    assert [row.after for row in agent.audit if row.kind == "agent"] == [
        "disk full: starts nothing",
        "disk has space again",
    ]


def test_scenario_213_fires_wait_for_the_dashboard_in_order() -> None:
    """Whatever keeps it from taking them: nothing is lost, overtaken or sent twice; what it has taken leaves."""
    agent = an_agent()
    agent.provision(a_clock("* * * * * ?"))
    agent.wait_until(NOON + 3 * SECOND)
    agent.start()
    agent.wait_until(NOON + 5 * SECOND)
    waiting = [fire.sequence for fire in agent.fires(CLOCK)]
    agent.take(CLOCK, 4)

    assert waiting == list(range(1, len(waiting) + 1))
    assert len(waiting) >= 5
    assert [fire.sequence for fire in agent.fires(CLOCK)] == waiting[4:]


def test_dry_run_with_chosen_files_holds_for_instances_that_come_later() -> None:
    """They fire with the same files, and say why."""
    agent = an_agent()
    agent.provision(a_file_job())
    ask(agent, SetDryRun(on=True, job=FILE, files=("/d/x",)))
    later = InstanceId("Daily-20260303T060000Z")
    agent.publish(msgspec.structs.replace(a_publication(), instance=later))

    [fire] = agent.fires(FILE, later)

    assert (fire.files, fire.reason) == (("/d/x",), "dry run: these files were chosen")


@pytest.mark.parametrize("on", [False, None])
def test_dry_run_of_a_job_that_cannot_be_here_can_be_taken_back(*, on: bool | None) -> None:
    """An agent of an older version may have been given it."""
    answer, _ = ask(an_agent(), SetDryRun(on=on, job="Load"))

    assert answer.ok


def test_dry_run_of_an_agent_pretends_file_jobs_too() -> None:
    """Each fires once an instance with a name that says so; no folder is looked at, nothing is moved."""
    agent = an_agent(Rules(agent=AGENT, zone="UTC", dry_run=DryRun()))
    job = a_file_job(moveDirectory="done")

    asked = agent.provision(job)
    assert not any(isinstance(effect, WatchFolders) for effect in asked)
    [fire] = agent.fires(job.id)
    assert (fire.files, fire.dry_run) == (("dryRun.txt",), True)
    agent.see(job.id, [("/d/real", NOON)])
    assert len(agent.fires(job.id)) == 1

    _, effects = ask(agent, SetDryRun(on=False))
    assert any(isinstance(effect, WatchFolders) for effect in effects)
    agent.wait_until(agent.now + SECOND)
    agent.see(job.id, [("/d/real", NOON)])
    assert [fire.dry_run for fire in agent.fires(job.id)] == [True, False]


def test_dry_run_of_an_agent_marks_the_fires_of_its_clocks() -> None:
    """They fire at their times: what follows is pretended, and says so."""
    agent = an_agent()
    agent.provision(a_clock())
    ask(agent, SetDryRun(on=True))

    agent.wait_until(agent.now + 60 * SECOND)

    assert all(fire.dry_run and fire.reason == "dry run" for fire in agent.fires(CLOCK))
    assert agent.fires(CLOCK)
