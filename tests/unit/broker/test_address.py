"""Broker addresses: what they may be, and that a password never shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.address import BrokerUrl, parse_url
from broker.errors import BrokerUrlError

SECRET = "p/:é"  # noqa: S105  # nobody's
GOOD = [
    ("mqtt://host", BrokerUrl(host="host", port=1883)),
    ("MQTT://host/", BrokerUrl(host="host", port=1883)),
    ("mqtts://host", BrokerUrl(host="host", port=8883, tls=True)),
    ("mqtt://10.0.0.1:99", BrokerUrl(host="10.0.0.1", port=99)),
    ("mqtt://[::1]", BrokerUrl(host="::1", port=1883)),
    ("mqtt://[fe80::1%25eth0]:99/x", BrokerUrl(host="fe80::1%eth0", port=99, prefix="x")),
    ("mqtt://me@host", BrokerUrl(host="host", port=1883, user="me")),
    ("mqtt://a%40b:p%2F%3A%C3%A9@host/x/y%20z/", BrokerUrl(host="host", port=1883, user="a@b", password=SECRET, prefix="x/y z")),
    ("mqtt://me@a,b:99,[::1]/x", BrokerUrl(host="a", port=1883, user="me", prefix="x", others=(("b", 99), ("::1", 1883)))),
]  # fmt: skip
BAD = [
    "",
    "host",
    "host:1883",
    "http://host",
    "mqtt:host",
    "mqtt://",
    "mqtt://:99",
    "mqtt://me@",
    "mqtt://:SECRET@host",
    "mqtt://me:SECRET@host:0",
    "mqtt://me:SECRET@host:65536",
    "mqtt://me:SECRET@host:x",
    "mqtt://me:SECRET@host:+5",
    "mqtt://me:SECRET/x@host",
    "mqtt://me:SECRET@x@host",
    "mqtt://me:SECRET%4@host",
    "mqtt://me:SECRET%FF@host",
    "mqtt://me:SECRET%00@host",
    "mqtt://me:SECRET@ho st",
    "mqtt://me:SECRET@host\n",
    "mqtt://me:SECRET@::1",
    "mqtt://me:SECRET@[host]",
    "mqtt://me:SECRET@host?x=1",
    "mqtt://me:SECRET@host#x",
    "mqtt://me:SECRET@host/a/+",
    "mqtt://me:SECRET@host/a//b",
    "mqtt://me:SECRET@host/a/%23",
    "mqtt://me:SECRET@host/$SYS",
    "mqtt://me:SECRET@host,",
    "mqtt://me:SECRET@,host",
    "mqtt://me:SECRET@a,b:x",
    "mqtt://me:SECRET@a,[host]",
]


@pytest.mark.parametrize(("text", "url"), GOOD)
def test_address_is_read(text: str, url: BrokerUrl) -> None:
    """Default ports and prefix, percent-encoding, IPv6."""
    assert parse_url(text) == url


@pytest.mark.parametrize("text", BAD)
def test_bad_address_is_one_clear_line(text: str) -> None:
    """What is no address is refused in one line that does not show the password."""
    with pytest.raises(BrokerUrlError) as refusal:
        parse_url(text)

    assert "\n" not in str(refusal.value)
    assert "broker's address" in str(refusal.value) or "broker" in str(refusal.value)
    assert "SECRET" not in str(refusal.value)
    assert "SECRET" not in repr(refusal.value.__cause__)


_part = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=10)
_prefixes = st.sampled_from(["jobplan/v1", "x", "a b/c", "ü%/~"])


@given(
    st.sampled_from(["host", "10.0.0.1", "::1", "fe80::1%eth0", "bücher.example"]),
    st.integers(1, 65535),
    st.sampled_from(["plain", "tls"]),
    st.tuples(_part, _part),
    _prefixes,
)
def test_address_written_in_full_is_read_back(
    host: str, port: int, kind: str, login: tuple[str, str], prefix: str
) -> None:
    """``parse_url`` undoes ``full``."""
    user, password = login
    url = BrokerUrl(
        host=host, port=port, tls=kind == "tls", user=user, password=password if user else "", prefix=prefix
    )

    assert parse_url(url.full()) == url


def test_password_does_not_show() -> None:
    """Neither ``str`` nor ``repr`` gives the password away; both name the user."""
    url = parse_url("mqtt://me:SECRET@host")

    assert str(url) == "mqtt://me@host:1883"
    assert repr(url) == "BrokerUrl('mqtt://me@host:1883')"
    assert f"{url}" == str(url)
    assert url.full() == "mqtt://me:SECRET@host:1883"
