"""Every file of the checkout keeps every house rule."""

from __future__ import annotations

import pytest

from tests.tidy.exceptions import EXCEPTIONS
from tests.tidy.rules import RULES, Rule
from tests.tidy.source import every_source


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_house_rule(rule: Rule) -> None:
    """No file breaks the rule, but those that may."""
    excepted = EXCEPTIONS.get(rule.name, {})
    broken = [
        f"{source.path}:{line}: {complaint}"
        for source in every_source()
        if rule.concerns(source) and source.path not in excepted
        for line, complaint in rule.find(source)
    ]

    assert not broken, "\n".join([rule.sentence, *broken])


def test_exceptions_are_needed() -> None:
    """What stands in the list of exceptions breaks the rule, and says why it may."""
    sources = {source.path: source for source in every_source()}
    rules = {rule.name: rule for rule in RULES}
    idle = [
        f"{name}: {path}"
        for name, paths in EXCEPTIONS.items()
        for path, reason in paths.items()
        if not reason or path not in sources or not list(rules[name].find(sources[path]))
    ]

    assert not idle


def test_the_rules_have_files_to_read() -> None:
    """The rules look at the product, at the tests and at the papers; not at nothing."""
    paths = {source.path for source in every_source()}

    assert {"schemas/__init__.py", "tests/tidy/rules.py", "mosquitto.conf", "Makefile", "requirements.lock"} <= paths
    assert not [path for path in paths if path.startswith((".venv/", ".cache/", ".git/"))]
