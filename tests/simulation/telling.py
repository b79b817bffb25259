"""A trace as lines for people: when, who, what."""

from __future__ import annotations

from typing import Any

from broker.errors import TopicError
from schemas.codec import body_of
from tests.simulation.session import TOPICS
from tests.simulation.trace import (
    Accepted,
    CommandBegan,
    CommandEnded,
    Copied,
    Crashed,
    Fault,
    FolderLost,
    Found,
    Lodged,
    Performed,
    PersonAnswered,
    PersonAsked,
    PutBack,
    Record,
    Replayed,
    Saved,
    ServerDied,
    Shown,
    Standing,
    Started,
    Stepped,
)

LONGEST = 200


def lines(record: Record) -> list[str]:
    """What a record says."""
    at = f"{int(record.at) // 60:02d}:{record.at % 60:09.6f}"
    return [f"{at} {text}" for text in _texts(record)]


def _texts(record: Record) -> list[str]:  # noqa: C901, PLR0911, PLR0912  # one line a kind of record
    match record:
        case Started(node=node):
            return [f"{node:9} begins a life"]
        case Crashed(node=node, during=during):
            return [f"{node:9} dies while {during}"]
        case Stepped(node=node, event=event, now=now, address=None):
            return [f"{node:9} {event} at {now:%H:%M:%S.%f}"]
        case Stepped(node=node, now=now, address=address, document=document):
            return [_cut(f"{node:9} hears at {now:%H:%M:%S.%f}: {_name(address)} {_brief(document)}")]
        case Saved(node=node, rows=rows, audit=audit):
            tables = " ".join(dict.fromkeys(row.table for row in rows))
            return [f"{node:9} saves {len(rows)} records ({tables})", *(_cut(f"{'':9}   {_row(row)}") for row in audit)]
        case Shown(node=node, publications=publications, whole=whole):
            head = f"{node:9} shows {'all it has' if whole is not None else ''}"
            return [head, *(_cut(f"{'':9}   {topic} {_payload(payload)}") for topic, payload in publications)]
        case Lodged(node=node, topic=topic, payload=payload):
            return [_cut(f"{node:9} says {topic} {_payload(payload)}")]
        case Accepted(node=node, topic=topic):
            return [f"broker    has {topic} from {node}"]
        case Replayed(node=node, lacks=lacks):
            return [_cut(f"{node:9} is sent what is retained, but for {' '.join(lacks) or 'nothing'}")]
        case ServerDied(nodes=nodes):
            return [f"broker    one of its servers dies, with the connections of {', '.join(nodes) or 'nobody'}"]
        case Performed(node=node, effect=effect):
            return [f"{node:9} performs {effect}"]
        case CommandBegan(host=host, run=run, pid=pid):
            return [f"{host:9} process {pid} becomes {run}"]
        case CommandEnded(host=host, run=run, pid=pid, code=code):
            return [f"{host:9} process {pid} of {run} ends with {code}"]
        case FolderLost(host=host, run=run):
            return [f"{host:9} loses what it knew of {run or 'all runs'}"]
        case Found(node=node, documents=documents):
            return [f"{node:9} has no records, and finds {len(documents)} documents of its own"]
        case Copied(node=node):
            return [f"{node:9} is copied"]
        case PutBack(node=node):
            return [f"{node:9} has the records of the copy"]
        case Fault(kind=kind, victim=victim):
            return [f"FAULT     {kind} {victim}"]
        case PersonAsked(request=request, asked=asked):
            return [_cut(f"person    asks {request}: {asked}")]
        case PersonAnswered(request=request, answer=answer):
            return [_cut(f"person    hears {request}: {answer}")]
        case Standing():
            return ["          how everything stands is looked at"]
        case _:
            return [type(record).__name__.upper()]


def _name(address: Any) -> str:  # noqa: ANN401  # any address
    try:
        return TOPICS.topic_of(address).removeprefix(TOPICS.prefix + "/")
    except TopicError:
        return str(address)


def _brief(document: object) -> str:
    return "is gone" if document is None else str(document)


def _payload(payload: bytes) -> str:
    if not payload:
        return "cleared"
    return (body_of(payload) or payload).decode()


def _row(row: Any) -> str:  # noqa: ANN401  # an audit row, or what stands for one
    place = " ".join(part for part in (row.instance, row.context, row.job, row.run) if part)
    return f"{row.kind} {place}: {row.before} -> {row.after} [{row.cause}] {row.detail}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
