"""Scenarios 136 to 145: parameters; 141 and 144 are in part the agent's."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from jobplan.simulate.script import Play
from schemas.names import PlanName
from schemas.plan import Parameter, PlanSource
from schemas.requests import Act, Action, SetParameters, StartInstance
from tests.scenarios.house import House
from tests.scenarios.notation import plan
from tests.scenarios.telling import Telling

P1 = Parameter(name="p", default_value="1")
DECLARED = Parameter(name="p")


def _house(*, declared: tuple[Parameter, ...] = (DECLARED,), properties: str = "", **more: object) -> House:
    house = House()
    found = dict(line.split("=", 1) for line in properties.split())
    house.core.state.properties = {PlanName("P"): found}
    house.open("i", "P[a b | b<-and(a)]", jobs={"a": {"context_parameters": declared}}, **more)
    return house


def _value(house: House, path: str = "i.a") -> dict[str, str | None]:
    """The parameters of the newest run of a job."""
    name, copy = house._copy(path)
    run = house.machine(name).copies[copy.index].run
    assert run is not None
    return house.core.state.runs[run].parameters


def test_scenario_136_the_plans_default() -> None:
    """A job that declares the name gets it."""
    house = _house(context_parameters=(P1,))
    house.act(Action.SUBMIT, "i.a")

    assert _value(house) == {"p": "1"}


def test_scenario_137_who_has_the_last_word() -> None:
    """Properties before defaults, an edit before properties, what is given for a run before everything, for that run alone."""
    house = _house(context_parameters=(P1,), properties="p=2")
    house.act(Action.SUBMIT, "i.a")
    assert _value(house) == {"p": "2"}
    house.ended("i.a")

    assert house.ask(SetParameters(instance=house.instances["i"], values={"p": "3"})).ok
    house.act(Action.RESUBMIT, "i.a")
    assert _value(house) == {"p": "3"}
    house.ended("i.a")

    house.act(Action.RESUBMIT, "i.a", parameters={"p": "4"})
    assert _value(house) == {"p": "4"}
    house.ended("i.a")

    house.act(Action.RESUBMIT, "i.a")
    assert _value(house) == {"p": "3"}


def test_scenario_138_a_name_the_job_does_not_declare() -> None:
    """It is not passed on."""
    house = _house(declared=(), context_parameters=(P1,))
    house.act(Action.SUBMIT, "i.a")

    assert _value(house) == {}


def test_scenario_139_a_name_only_the_job_knows() -> None:
    """Its own default, or a property."""
    declared = (Parameter(name="q", default_value="9"),)
    house = _house(declared=declared)
    house.act(Action.SUBMIT, "i.a")
    assert _value(house) == {"q": "9"}

    house = _house(declared=declared, properties="q=7")
    house.act(Action.SUBMIT, "i.a")
    assert _value(house) == {"q": "7"}


def test_scenario_140_a_date_expression() -> None:
    """It is replaced by the date; what is no expression is itself."""
    house = _house(context_parameters=(P1,), properties="p=today+1:yyyyMMdd")
    house.act(Action.SUBMIT, "i.a")
    assert _value(house) == {"p": "20260102"}

    house = _house(context_parameters=(P1,), properties="p=tomorrow")
    house.act(Action.SUBMIT, "i.a")
    assert _value(house) == {"p": "tomorrow"}


def test_scenario_141_no_value_and_an_empty_one() -> None:
    """No value is none; an empty one is empty."""
    house = _house(context_parameters=(Parameter(name="p"),))
    house.act(Action.SUBMIT, "i.a")
    assert _value(house) == {"p": None}

    house = _house(context_parameters=(Parameter(name="p", default_value=""),))
    house.act(Action.SUBMIT, "i.a")
    assert _value(house) == {"p": ""}


def test_scenario_142_edited_while_it_is_held_or_queued() -> None:
    """The value is the one of the moment in which the run is handed over."""
    house = _house(context_parameters=(P1,), locks="L{a b}")
    house.act(Action.SUBMIT, "i.b")
    house.act(Action.SUBMIT, "i.a")
    house.ask(SetParameters(instance=house.instances["i"], values={"p": "3"}))

    assert house.ended("i.b") == ["i.a"]
    assert _value(house) == {"p": "3"}


def test_scenario_143_a_restart_after_an_edit() -> None:
    """The edit stays."""
    house = _house(context_parameters=(P1,), properties="p=2")
    house.ask(SetParameters(instance=house.instances["i"], values={"p": "3"}))
    house.restart()
    house.core.state.properties = {PlanName("P"): {"p": "2"}}
    house.act(Action.SUBMIT, "i.a")

    assert _value(house) == {"p": "3"}


def test_scenario_144_names_of_the_logs_are_the_agents() -> None:
    """The dashboard passes what it is told, and adds nothing of its own."""
    house = _house(declared=())
    house.act(Action.SUBMIT, "i.a", parameters={"LOG_FILE_PATH": "mine"})

    assert _value(house) == {"LOG_FILE_PATH": "mine"}


def _with_child_parameters(*parameters: Parameter) -> PlanSource:
    declared = (Parameter(name="x"), Parameter(name="p", default_value="own"))
    source = plan("P{C1[a]}", jobs={"a": {"context_parameters": declared}}, context_parameters=(P1,))
    child = replace(source.plan.contexts[0], context_parameters=parameters)
    return replace(source, plan=replace(source.plan, contexts=(child,)))


def test_scenario_145_a_context_with_parameters_of_its_own() -> None:
    """Its jobs look only there, then at the properties and their own defaults."""
    told = Telling(_with_child_parameters(Parameter(name="x", default_value="5")))
    told.tell("submit(a) -> init{a}")
    assert [run.parameters for run in told.core.state.runs.values()] == [{"x": "5", "p": "own"}]

    play = Play(_with_child_parameters())
    play.world.ask(Act(action=Action.SUBMIT, instance=play.world.instance, job="a"))
    assert [run.parameters for run in play.world.core.state.runs.values()] == [{"x": None, "p": "1"}]


def test_parameters_given_at_the_start() -> None:
    """They come before properties and defaults."""
    house = _house(context_parameters=(P1,), properties="p=2")
    answer = house.ask(StartInstance(plan=PlanName("P"), parameters={"p": "6"}))

    assert answer.ok
    assert [i.parameters for i in house.core.state.instances.values()] == [{"p": "2"}, {"p": "6"}]


@pytest.mark.parametrize("job", [(), (Parameter(name="quay", default_value="9"),)])
def test_a_value_of_what_nobody_declares_is_refused(job: tuple[Parameter, ...]) -> None:
    """Neither the plan nor a job: no run would get it. One that only a job declares is taken."""
    house = _house(declared=job, context_parameters=(P1,))
    start = StartInstance(plan=PlanName("P"), parameters={"quai": "2"})
    edit = SetParameters(instance=next(iter(house.core.state.instances)), values={"quay": "2"})
    before = dict(house.core.state.instances)

    started, edited = house.ask(start), house.ask(edit)

    hint = "did you mean 'quay'?" if job else "there is p"
    assert (started.unknown, started.reason) == (True, f"parameter 'quai' of plan 'P' is unknown; {hint}")
    assert edited.ok is bool(job)
    assert edited.unknown is not bool(job)
    assert list(house.core.state.instances) == list(before)
