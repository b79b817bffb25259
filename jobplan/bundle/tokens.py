"""Tokens: ``[[name]]`` in a bundle stands for a value of the environment it is imported into.

A token has no blanks and its name begins with a letter, so a shell's ``[[ -f x ]]`` or ``[[:alpha:]]`` is none. Where a text that
looks like a token is meant literally, import with ``name=[[name]]``: values are not looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from jobplan.bundle.raw import Documents, Json, JsonObject, mapped, objects, step, text_of
from schemas.plan import DASHBOARD_AGENTS
from schemas.requests import Fault

AGENT: Final = "agent.name"
"""The token of a real agent; ``agent.name.2`` and so on when a plan has several."""
ENVIRONMENT: Final = "env.name"
"""The token of the environment that ends a plan's name: ``X_UAT`` is ``X_[[env.name]]``."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_TOKEN = re.compile(r"\[\[([A-Za-z][A-Za-z0-9_.-]*)\]\]")


def replace_tokens(documents: Documents, values: Mapping[str, str]) -> tuple[Documents, tuple[Fault, ...]]:
    """The documents with their tokens replaced; a fault for each token without a value, a warning for each value not used."""
    uses: dict[str, list[str]] = {}
    for path, document in documents.items():
        for where, text in _texts(document, "$"):
            for name in dict.fromkeys(_TOKEN.findall(text)):
                uses.setdefault(name, []).append(f"{path} {where}")
    faults = [*_bad_names(values), *_missing(uses, values), *_unused(uses, values)]

    def put(text: str) -> str:
        return _TOKEN.sub(lambda found: values.get(found[1], found[0]), text) if "[[" in text else text

    return {path: mapped(document, put, keys=put) for path, document in documents.items()}, tuple(faults)


def _missing(uses: Mapping[str, list[str]], values: Mapping[str, str]) -> Iterator[Fault]:
    for name, places in sorted(uses.items()):
        if name not in values:
            times = "once" if len(places) == 1 else f"{len(places)} times"
            yield Fault(
                path=places[0],
                message=f"the token [[{name}]] has no value (it stands here, {times} in all): give {name}=VALUE",
            )


def _unused(uses: Mapping[str, list[str]], values: Mapping[str, str]) -> Iterator[Fault]:
    for name in sorted(values):
        if name not in uses and _NAME.fullmatch(name):
            yield Fault(path=f"token {name}", message=f"[[{name}]] stands nowhere in the bundle", warning=True)


def _bad_names(values: Mapping[str, str]) -> Iterator[Fault]:
    for name in sorted(values):
        if not _NAME.fullmatch(name):
            yield Fault(
                path=f"token {name}", message="a token's name is a letter, then letters, digits, '_', '.' or '-'"
            )


def _texts(value: Json, path: str) -> Iterator[tuple[str, str]]:
    """Every text that may hold a token, keys included, with its JSON path."""
    match value:
        case str():
            if "[[" in value:
                yield path, value
        case dict():
            for key, inner in value.items():
                if "[[" in key:
                    yield step(path, key), key
                yield from _texts(inner, step(path, key))
        case list():
            for index, inner in enumerate(value):
                yield from _texts(inner, step(path, index))
        case _:
            pass


def suggested_tokens(documents: Documents) -> dict[str, str]:
    """What Ikasan's tokenised export replaces: the real agents, and the environment when the plan's name ends with it."""
    plan = _plan(documents)
    agents = sorted({text_of(job, "agentName") for job in _jobs(documents)} - DASHBOARD_AGENTS.keys() - {""})
    found = {AGENT if number == 1 else f"{AGENT}.{number}": agent for number, agent in enumerate(agents, 1)}
    environment = text_of(plan, "environmentGroup")
    if environment and text_of(plan, "name").endswith(f"_{environment}"):
        found[ENVIRONMENT] = environment
    return found


def _plan(documents: Documents) -> JsonObject:
    for path, document in documents.items():
        if path.startswith("context/") and isinstance(document, dict):
            return document
    return {}


def _jobs(documents: Documents) -> Iterator[JsonObject]:
    for path, document in documents.items():
        if path.startswith("jobs/") and isinstance(document, dict):
            yield document
    yield from _scheduled(_plan(documents))


def _scheduled(context: JsonObject) -> Iterator[JsonObject]:
    yield from objects(context.get("scheduledJobs"))
    for child in objects(context.get("contexts")):
        yield from _scheduled(child)


def put_tokens(documents: Documents, values: Mapping[str, str]) -> Documents:
    """The documents with tokens in place of values, such that ``replace_tokens`` gives the same documents back.

    ``agent.name`` stands for whole agent names (and where an identifier begins with one), ``env.name`` for the end of the plan's
    name and for the environment group; any other token replaces its value wherever it occurs in a text.
    """
    agents = {value: name for name, value in values.items() if name == AGENT or name.startswith(f"{AGENT}.")}
    environment = values.get(ENVIRONMENT, "")
    others = {value: name for name, value in values.items() if name != ENVIRONMENT and value not in agents and value}
    inside = _inside(others)
    plan = text_of(_plan(documents), "name")
    ends = f"_{environment}"
    whole = (
        {f"{plan}": f"{inside(plan.removesuffix(ends))}_[[{ENVIRONMENT}]]"}
        if environment and plan.endswith(ends)
        else {}
    )

    def put(text: str) -> str:
        return whole[text] if text in whole else inside(text)

    def walk(value: Json, key: str) -> Json:
        match value:
            case str():
                if environment and key == "environmentGroup" and value == environment:
                    return f"[[{ENVIRONMENT}]]"
                return _agent_token(value, key, agents, inside) or put(value)
            case dict():
                names = put if key in _MAPS else str
                return {names(inner): walk(v, "" if key in _MAPS else inner) for inner, v in value.items()}
            case list():
                return [walk(inner, key) for inner in value]
            case _:
                return value

    return {path: walk(document, "") for path, document in documents.items()}


_MAPS: Final = frozenset(
    {"jobs", "skippedContexts", "heldContexts", "passthroughProperties", "emailNotificationTemplateParameters"}
)
"""The objects whose keys are names and texts of the plan, not words of the format."""


def _agent_token(text: str, key: str, agents: Mapping[str, str], rest: Callable[[str], str]) -> str:
    """An agent's name as its token, also at the beginning of an identifier; empty when there is none."""
    if key == "agentName" and text in agents:
        return f"[[{agents[text]}]]"
    if key in {"identifier", "jobIdentifier"}:
        for agent in sorted(agents, key=len, reverse=True):
            if text.startswith(f"{agent}-"):
                return f"[[{agents[agent]}]]{rest(text.removeprefix(agent))}"
    return ""


def _inside(values: Mapping[str, str]) -> Callable[[str], str]:
    """Puts the token of each value wherever the value occurs, the longest first."""
    if not values:
        return str
    pattern = re.compile("|".join(re.escape(value) for value in sorted(values, key=lambda v: (-len(v), v))))
    return lambda text: pattern.sub(lambda found: f"[[{values[found[0]]}]]", text)


def literal_tokens(documents: Documents) -> frozenset[str]:
    """The names in texts that look like tokens as they stand: exported with tokens they could not be told from real ones."""
    return frozenset(
        name for document in documents.values() for _, text in _texts(document, "$") for name in _TOKEN.findall(text)
    )
