"""The topics as an AsyncAPI 3 document: what a person's tool may receive and send, made from the table of topics.

A node's own sending is told by ``x-writer`` and ``x-readers``, because an AsyncAPI document speaks for one application: here,
the tool that looks on and asks.
"""

from __future__ import annotations

import re
from typing import Final, get_args

from msgspec import Struct

from broker.topic_table import TABLE, Role, Row
from jobplan.bundle.raw import Json, JsonObject
from jobplan.describing.structs import reference_to, schemas_of
from schemas.codec import Header
from schemas.notifications import Notification
from schemas.requests import AgentRequest, Answer, DashboardRequest

_PREFIX: Final = "jobplan/v1/"
_PARAMETERS: Final = {
    "agent": "Name of the agent.",
    "plan": "Name of the plan.",
    "version": "Number of the version, counted up from 1.",
    "calendar": "Name of the business calendar.",
    "instance": "Id of the instance.",
    "context": "Name of the context.",
    "job": "Identifier of the job.",
    "run": "Id of the run.",
    "job-or-run": "Identifier of a file or clock job, or the id of a run.",
    "lock": "Name of the lock; in an environment group GROUP~LOCK.",
    "user": "The name the broker authenticated: nobody can ask in another's name.",
    "id": "Drawn by who asks; asked again under the same id, it is answered the same and done once.",
    "node": "Who answers: the dashboard, or an agent by name.",
    "part": "Counted up from 0.",
    "client": "Id of the client.",
}


def asyncapi(version: str) -> JsonObject:
    """The document, for a version of jobplan."""
    asked = {
        "request/{user}/{id}": get_args(DashboardRequest),
        "agent/{agent}/request/{user}/{id}": get_args(AgentRequest),
    }
    bodies: dict[str, tuple[type[Struct], ...]] = {row.pattern: asked.get(row.pattern, row.documents) for row in TABLE}
    bodies["response/{user}/{id}/{node}/{part}"] = (Answer,)
    bodies["notification/{plan}"] = (Notification,)
    types: list[type[Struct]] = [Header, *(cls for found in bodies.values() for cls in found)]
    _, known = schemas_of(dict.fromkeys(types))
    rows = [row for row in TABLE if row.writer is not Role.CLIENT]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "jobplan",
            "version": version,
            "description": (
                "What a person's tool sees and says. Levels are percent-encoded: everything outside [A-Za-z0-9_-]. Retained "
                "topics have one writer and hold whole documents, of which the one with the greater (epoch, revision) is newer; "
                "an empty payload means that the document is gone."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_name(row): _channel(row, bodies[row.pattern]) for row in rows},
        "operations": {f"{_verb(row)}_{_name(row)}": _operation(row) for row in rows},
        "components": {
            "messages": {cls.__name__: _message(cls, row) for row in rows for cls in bodies[row.pattern]},
            "schemas": dict(sorted(known.items())),
        },
    }


def _name(row: Row) -> str:
    """A channel's name: the levels that are words, and those that are names."""
    return re.sub(r"[{}]", "", row.pattern).replace("/", "_").replace("-", "")


def _verb(row: Row) -> str:
    return "send" if row.writer is Role.PERSON else "receive"


def _channel(row: Row, bodies: tuple[type[Struct], ...]) -> JsonObject:
    channel: JsonObject = {
        "address": _PREFIX + row.pattern,
        "description": row.shows,
        "messages": {cls.__name__: {"$ref": f"#/components/messages/{cls.__name__}"} for cls in bodies},
        "x-writer": str(row.writer),
        "x-readers": [str(reader) for reader in row.readers],
        "x-retained": row.retained,
    }
    levels = re.findall(r"\{([a-z-]+)\}", row.pattern)
    if levels:
        channel["parameters"] = {level: {"description": _PARAMETERS[level]} for level in levels}
    return channel


def _operation(row: Row) -> JsonObject:
    return {
        "action": _verb(row),
        "channel": {"$ref": f"#/channels/{_name(row)}"},
        "bindings": {"mqtt": {"qos": 1, "retain": row.retained, "bindingVersion": "0.2.0"}},
    }


def _message(cls: type[Struct], row: Row) -> JsonObject:
    body: Json = reference_to(cls.__name__)
    payload: Json = {"allOf": [reference_to("Header"), body]} if row.retained else body
    return {"name": cls.__name__, "contentType": "application/json", "payload": payload}
