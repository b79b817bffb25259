"""Option before environment before file before default."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobplan.errors import BadInputError
from jobplan.settings import DEFAULT_BROKER, Given, resolve
from schemas.tables import Table


def test_the_order_of_precedence(tmp_path: Path) -> None:
    """Each outranks the next."""
    (tmp_path / "jobplan.toml").write_text('broker = "mqtt://file"\ndata = "kept"\nlog-level = "error"\n')
    env = {"JOBPLAN_BROKER": "mqtt://env"}

    assert resolve(Given(broker="mqtt://option"), env, tmp_path).broker == "mqtt://option"
    assert resolve(Given(), env, tmp_path).broker == "mqtt://env"
    assert resolve(Given(), {}, tmp_path).broker == "mqtt://file"
    assert resolve(Given(), {}, tmp_path / "elsewhere").broker == DEFAULT_BROKER
    assert resolve(Given(log_level="debug"), {}, tmp_path).log_level == "debug"


def test_a_folder_in_the_file_is_beside_the_file(tmp_path: Path) -> None:
    """So that it means the same wherever the command is typed."""
    file = tmp_path / "other.toml"
    file.write_text('data = "kept"\n[agent]\nlabels = ["gpu"]\n')

    settings = resolve(Given(config=str(file)), {}, tmp_path / "elsewhere")

    assert settings.data == tmp_path / "kept"
    assert settings.table("agent") == Table(name="agent", values={"labels": ["gpu"]}, file=str(file))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('brokr = "x"', r"jobplan.toml: brokr: unknown key; did you mean 'broker'\?"),
        ("broker = [1]", "jobplan.toml: broker: a list where a text belongs"),
        ("json = 3", "jobplan.toml: json: 3 where true or false belongs"),
        ("agent = 3", "jobplan.toml: agent: 3 where a table belongs"),
        ("[agnet]", r"jobplan.toml: agnet: unknown key; did you mean 'agent'\?"),
        ("broker = ", "not readable as TOML"),
        ('log-level = "loud"', "log level 'loud' is unknown"),
    ],
)
def test_a_faulty_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    """It says what is wrong and where."""
    (tmp_path / "jobplan.toml").write_text(text)

    with pytest.raises(BadInputError, match=message) as error:
        resolve(Given(), {}, tmp_path)
    assert "\n" not in str(error.value).partition(" (at line")[0]


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    """The one in the working directory need not."""
    with pytest.raises(BadInputError, match="no such configuration file"):
        resolve(Given(config=str(tmp_path / "none.toml")), {}, tmp_path)


def test_a_commands_own_options_outrank_those_before_its_noun() -> None:
    """`jobplan --json plan list --no-json` is not JSON."""
    given = Given(json=False).over(Given(json=True, broker="mqtt://before"))

    assert (given.json, given.broker) == (False, "mqtt://before")


def test_a_variable_that_is_set_to_nothing_is_not_set(tmp_path: Path) -> None:
    """As after ``JOBPLAN_CA_FILE=`` in a unit's file."""
    nothing = dict.fromkeys(("JOBPLAN_BROKER", "JOBPLAN_CA_FILE", "JOBPLAN_CONFIG", "JOBPLAN_DATA"), "")

    assert resolve(Given(), nothing, tmp_path) == resolve(Given(), {}, tmp_path)
