"""Which part of an output is printed."""

from __future__ import annotations

import pytest

from jobplan.client.logs import _last_lines


@pytest.mark.parametrize(
    ("content", "lines", "begin"),
    [
        (b"a\nb\nc\n", 1, 4),
        (b"a\nb\nc\n", 2, 2),
        (b"a\nb\nc\n", 3, None),
        (b"a\nb\nc", 1, 4),
        (b"a\nb\nc", 2, 2),
        (b"a\n\n\n", 2, 2),
        (b"a\nb\n", 0, 4),
        (b"a\nb", 0, 3),
        (b"", 0, 0),
        (b"", 1, None),
    ],
)
def test_last_lines_begin_behind_a_line(content: bytes, lines: int, begin: int | None) -> None:
    """Counted from the end, a last line without its end included; of none, nothing; None: further back, if anywhere."""
    assert _last_lines(content, lines) == begin
