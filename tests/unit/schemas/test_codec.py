"""Payloads: a header in front of a body that stays comparable."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schemas.codec import SchemaError, body_of, decode, decode_header, encode_body, stamp
from schemas.documents import FireReport, Presence, Report, RunReport, Taken
from schemas.names import InstanceId, JobId, NodeName, RunId
from schemas.status import NodeState, RunPhase

NOW = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
TAKEN = Taken(instance=InstanceId("P-20260102T030405Z"), job=JobId("a-q"), sequence=7)


def test_payload_is_one_json_object_with_the_header_first() -> None:
    """Readable in any topic-inspection tool."""
    payload = stamp(encode_body(TAKEN), epoch=3, revision=9, at=NOW)

    assert payload == (
        b'{"v":1,"epoch":3,"revision":9,"at":"2026-01-02T03:04:05.678Z",'
        b'"instance":"P-20260102T030405Z","job":"a-q","sequence":7}'
    )


def test_body_is_the_same_whoever_stamped_it() -> None:
    """So that a node sees that what is retained is what it would show."""
    body = encode_body(TAKEN)

    assert body_of(stamp(body, epoch=3, revision=9, at=NOW)) == body
    assert body_of(stamp(b"{}", epoch=3, revision=9, at=NOW)) == b"{}"


def test_body_of_a_foreign_hand_is_unknown() -> None:
    """The same document, spelt differently."""
    assert body_of(b'{ "v":1,"epoch":3,"revision":9,"at":"2026-01-02T03:04:05.678Z"}') is None


def test_header_orders_by_epoch_then_revision() -> None:
    """A later life outranks any revision of an earlier one."""
    older = decode_header(stamp(b"{}", epoch=3, revision=900, at=NOW))
    newer = decode_header(stamp(b"{}", epoch=4, revision=1, at=NOW))

    assert older.order < newer.order


@pytest.mark.parametrize(
    "payload", [b"", b"online", b"{}", b'{"v":1}', b"\xff", b'{"v":1,"epoch":"x","revision":1,"at":"2026"}']
)
def test_header_of_garbage_is_a_schema_error(payload: bytes) -> None:
    """Set aside, never a crash."""
    with pytest.raises(SchemaError):
        decode_header(payload)


def test_another_wire_version_is_named() -> None:
    """A newer program writes what this one does not read."""
    with pytest.raises(SchemaError, match="wire version 2"):
        decode_header(b'{"v":2,"epoch":1,"revision":1,"at":"2026-01-02T03:04:05Z"}')


def test_reports_are_told_apart_by_their_kind() -> None:
    """Runs and fires share a topic pattern."""
    run = RunReport(run=RunId("r"), phase=RunPhase.RUNNING)
    fires = FireReport(instance=InstanceId("i"), job=JobId("a-q"))

    assert decode(encode_body(run), Report) == run
    assert decode(encode_body(fires), Report) == fires


def test_unknown_keys_are_ignored_and_missing_ones_named() -> None:
    """Newer nodes may say more; the path says what is missing."""
    presence = Presence(node=NodeName("a"), state=NodeState.ALIVE, connection=1, since=NOW)
    more = encode_body(presence)[:-1] + b',"mood":"fine"}'

    assert decode(more, Presence) == presence
    with pytest.raises(SchemaError, match="connection"):
        decode(b'{"node":"a","state":"alive"}', Presence)
