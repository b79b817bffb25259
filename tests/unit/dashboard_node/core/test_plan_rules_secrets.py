"""The rule of what must not stand in a plan: literals that look like secrets."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dashboard_node.core.plan_rules import faults
from schemas.plan import CommandJob, Parameter
from schemas.requests import Fault
from tests.unit.dashboard_node.core.test_plan_rules import a_command, a_file, a_plan


def looks(job: CommandJob, *, refuse: bool = False) -> list[Fault]:
    """What is said of a job's secrets."""
    return [fault for fault in faults(a_plan(job), refuse_secrets=refuse) if "secret" in fault.message]


@pytest.mark.parametrize(
    "name", ["PASSWORD", "DB_PASSWORD", "dbPassword", "api_key", "apiKey", "AUTH_TOKEN", "pwd", "client.secret"]
)
def test_literal_of_a_telling_name_is_told(name: str) -> None:
    """At its place, without the value."""
    job = replace(a_command(), context_parameters=(Parameter(name=name, default_value="hunter2"),))
    found = looks(job)

    assert [(fault.path, fault.warning) for fault in found] == [
        ("jobs/internal/J $.contextParameters[0].defaultValue", True)
    ]
    assert "hunter2" not in found[0].message


@pytest.mark.parametrize(("name", "value"), [
    ("PASSWORD", "secret:db"), ("PASSWORD", ""), ("PASSWORD", None), ("PASSWORD_FILE", "/etc/db"), ("REGION", "north"),
    ("COMPASS", "north"), ("MONKEY", "x"), ("PASSWORD", "$OTHER"), ("PASSWORD", "[[token]]"),
])  # fmt: skip
def test_what_is_no_literal_secret_is_left_alone(name: str, value: str | None) -> None:
    """References, files, nothing at all, and names that only sound alike."""
    assert looks(replace(a_command(), context_parameters=(Parameter(name=name, value=value),))) == []


@pytest.mark.parametrize("line", [
    "mysql --password=hunter2 -e 'select 1'", "export DB_PASSWORD=hunter2\nload", "curl --token 'abc def'",
    "psql postgres://app:hunter2@db/x", "echo '-----BEGIN RSA PRIVATE KEY-----'", "aws AKIAABCDEFGHIJKLMNOP",
])  # fmt: skip
def test_literal_in_a_command_is_told(line: str) -> None:
    """Everybody could read it in ``ps``."""
    found = looks(replace(a_command(), command_line=line))

    assert [fault.path for fault in found] == ["jobs/internal/J $.commandLine"]
    assert "hunter2" not in found[0].message
    assert [fault.path for fault in looks(replace(a_command(), command_line="", arguments=("x", line)))] == [
        "jobs/internal/J $.arguments"
    ]


@pytest.mark.parametrize("line", [
    'mysql --password="$DB_PASSWORD"', "PASSWORD=$(vault read db)", "--password-file /etc/db", "psql postgres://app:$P@db/x",
    "echo token", "load --region north", "",
])  # fmt: skip
def test_command_that_takes_it_from_elsewhere_is_left_alone(line: str) -> None:
    """As it should be done."""
    assert looks(replace(a_command(), command_line=line)) == []


def test_they_can_be_refused() -> None:
    """Errors in place of warnings; the plan's own parameters count too."""
    job = replace(a_command(), context_parameters=(Parameter(name="PASSWORD", value="x"),))
    source = a_plan(job, a_file())
    plan = replace(source.plan, context_parameters=(Parameter(name="token", default_value="x"),))
    found = [fault for fault in faults(replace(source, plan=plan), refuse_secrets=True) if "secret" in fault.message]

    assert [(fault.path, fault.warning) for fault in found] == [
        ("jobs/internal/J $.contextParameters[0].value", False),
        ("$.contextParameters[0].defaultValue", False),
    ]
