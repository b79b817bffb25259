"""The checks, one function each: what we assume of a broker, in the order in which it is needed.

Each returns a ``Remark`` when it is content and raises ``NotConformError`` when it is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from broker.bus import Bus, Publication, Session
from broker.conformance.bench import Bench, Box, Restart
from broker.conformance.findings import NotConformError, Remark
from broker.errors import BusError, RefusedError, ReplayError
from schemas.names import escape

Check = Callable[[Bench], Awaitable[Remark]]

QUEUES = 'mosquitto: max_queued_messages 1000000; NATS: mqtt { ack_wait: "1s" }'
SIZES = "mosquitto: max_packet_size 9000000; NATS: max_payload: 8388608"
DROPPED = "$SYS/broker/publish/messages/dropped"
_OFTEN = 10
_ODD = "ä b%c~d+e#f/g.h\u2603$"


async def retains(bench: Bench) -> Remark:
    """The newest retained payload of each topic is shown to a newcomer, through wildcards, with the flag."""
    box = Box()
    async with bench.session("a") as session:
        topics = [bench.topic(f"retain/{one}/x/{two}") for one in "ab" for two in "cd"]
        await bench.publish(session, [Publication(topic, b"old") for topic in topics])
        await bench.publish(session, [Publication(topic, b"new") for topic in topics])
        await bench.publish(session, [Publication(bench.topic("retain/a/x/no"), b"1", retain=False)])
    async with bench.session("b", box) as session:
        await session.subscribe([bench.topic("retain/+/x/+")])
        await bench.until(lambda: len(box.newest) >= len(topics), 1.0)
    if box.newest != dict.fromkeys(topics, b"new"):
        raise NotConformError(f"a newcomer with wildcards is shown {len(box.newest)} of {len(topics)} retained topics")
    if not all(delivery.retained for delivery in box.deliveries):
        raise NotConformError("what is replayed does not bear the RETAIN flag")
    return Remark("set, replaced, found by + wildcards")


async def clears(bench: Bench) -> Remark:
    """An empty retained payload is delivered, and leaves nothing behind."""
    box, topic = Box(), bench.topic("clear/x")
    async with bench.session("a", box) as session:
        await bench.publish(session, [Publication(topic, b"1")])
        await session.subscribe([topic])
        await bench.publish(session, [Publication(topic, b"")])
        if not await bench.until(lambda: box.newest.get(topic) == b""):
            raise NotConformError("the clearing of a topic is not delivered to who listens")
    if await bench.retained("b", "clear/#"):
        raise NotConformError("a cleared topic is still retained")
    return Remark("delivered, gone")


async def replays_all(bench: Bench) -> Remark:
    """All of many retained topics are replayed, and the nonce that ends the replay comes back after the last of them."""
    many, box = bench.limits.many, Box()
    async with bench.session("a") as session:
        await bench.publish(session, [Publication(bench.topic(f"many/{number}"), b"x" * 300) for number in range(many)])
    async with bench.session("b", box) as session:
        loop = asyncio.get_running_loop()
        before = loop.time()
        try:
            await session.subscribe([bench.topic("many/#")])
        except ReplayError as error:
            raise NotConformError(
                f"{len(box.newest)} of {many} topics came, and no end of the replay", QUEUES
            ) from error
        there, seconds = len(box.newest), loop.time() - before
        if there < many and not await bench.until(lambda: len(box.newest) >= many):
            raise NotConformError(f"the replay ended after {len(box.newest)} of {many} topics", QUEUES)
    if there < many:
        return Remark(
            f"the nonce overtakes: {there} of {many} topics were there; the count of documents is waited for", note=True
        )
    return Remark(f"{many} topics in {seconds:.1f} s, then the nonce")


async def misses_nothing(bench: Bench) -> Remark:
    """What is published while somebody subscribes is replayed, or comes live."""
    count = 0
    async with bench.session("a") as writer:
        for number in range(_OFTEN):
            box = Box()
            async with bench.session("b", box) as reader:
                sent = await _subscribed_meanwhile(bench, reader, writer, f"meanwhile/{number}")
                if not await bench.until(lambda sent=sent, box=box: sent <= box.newest.keys()):  # type: ignore[misc]  # binds this round's
                    missing = len(sent - box.newest.keys())
                    raise NotConformError(
                        f"{missing} of {len(sent)} topics were published while somebody subscribed, and never came"
                    )
            count += len(sent)
    return Remark(f"{count} topics while somebody subscribed {_OFTEN} times")


async def _subscribed_meanwhile(bench: Bench, reader: Session, writer: Session, level: str) -> set[str]:
    """Publish one topic after the other for as long as it takes to subscribe to them."""
    sent, over = set[str](), asyncio.Event()

    async def subscribe() -> None:
        try:
            await reader.subscribe([bench.topic("none/#"), bench.topic(f"{level}/#")])
        finally:
            over.set()

    async def publish() -> None:
        while not (sent and over.is_set()):
            topic = bench.topic(f"{level}/{len(sent)}")
            await bench.publish(writer, [Publication(topic, b"1")])
            sent.add(topic)

    await asyncio.gather(subscribe(), publish())
    return sent


async def acknowledges(bench: Bench) -> Remark:
    """Each QoS 1 publish is acknowledged."""
    loop = asyncio.get_running_loop()
    before, count = loop.time(), bench.limits.messages
    async with bench.session("a") as session:
        await bench.publish(session, [Publication(bench.topic("ack"), b"1", retain=False)] * count)
    return Remark(f"{count / max(loop.time() - before, 1e-6):.0f} a second")


async def keeps_order(bench: Bench) -> Remark:
    """What one client publishes on one topic arrives in that order, whole."""
    box, topic = Box(), bench.topic("order")
    sent = [str(number).encode() for number in range(bench.limits.messages)]
    async with bench.session("a", box) as reader, bench.session("b") as writer:
        await reader.subscribe([topic])
        await bench.publish(writer, [Publication(topic, payload) for payload in sent])
        await bench.until(lambda: len(box.deliveries) >= len(sent))
    came = [delivery.payload for delivery in box.deliveries]
    if list(dict.fromkeys(came)) != sent:
        raise NotConformError(f"{len(set(came))} of {len(sent)} messages came, or not in order", QUEUES)
    doubled = len(came) - len(sent)
    return Remark(f"{len(sent)} in order" + (f", {doubled} twice" if doubled else ""))


async def reads_out_wills(bench: Bench) -> Remark:
    """The will of a connection that is gone without a word is published, and retained."""
    box, will = Box(), Publication(bench.topic("will"), b"gone")
    loop = asyncio.get_running_loop()
    async with bench.session("a", box) as watching:
        await watching.subscribe([will.topic])
        async with bench.session("b", will=will) as session:
            await bench.hang_up(session)
        before = loop.time()
        if not await bench.until(lambda: box.newest.get(will.topic) == will.payload):
            raise NotConformError(f"no will {bench.limits.wait:g} s after a lost connection")
        seconds = loop.time() - before
    if await bench.retained("c", "will") != {will.topic: will.payload}:
        raise NotConformError("the will is not retained")
    return Remark(f"{seconds:.2f} s after the loss")


async def spares_wills(bench: Bench) -> Remark:
    """A clean goodbye publishes no will."""
    will = Publication(bench.topic("goodbye"), b"gone")
    async with bench.session("a", will=will):
        pass
    if await bench.retained("b", "goodbye"):
        raise NotConformError("the will is published though the client said goodbye")
    return Remark("no will after a goodbye")


async def hands_over(bench: Bench) -> Remark:
    """A client id belongs to its newest holder: the former connection ends, and writes no more."""
    will = Publication(bench.topic("takeover/will"), b"gone")
    async with bench.session("a", will=will) as former, bench.session("a") as latter:
        try:
            async with asyncio.timeout(bench.limits.wait):
                await former.lost()
        except TimeoutError:
            raise NotConformError("two connections under one client id live side by side") from None
        await bench.publish(latter, [Publication(bench.topic("takeover/x"), b"latter")])
    seen = await bench.retained("b", "takeover/#")
    if seen.get(bench.topic("takeover/x")) != b"latter":
        raise NotConformError("the newest holder of a client id cannot write")
    return Remark("the former holder is cut off" + ("" if will.topic in seen else ", without its will"))


async def carries_sizes(bench: Bench) -> Remark:
    """Payloads up to a megabyte arrive whole, live and retained."""
    for size in bench.limits.sizes:
        box, topic, payload = Box(), bench.topic(f"size/{size}"), bytes(range(250)) * (size // 250)
        try:
            async with bench.session("a", box) as session:
                await session.subscribe([topic])
                await bench.publish(session, [Publication(topic, payload)])
                came = await bench.until(lambda box=box: len(box.deliveries) > 0)  # type: ignore[misc]  # binds this round's box
                await session.subscribe([topic])
                replayed = await bench.until(lambda box=box: len(box.deliveries) > 1)  # type: ignore[misc]  # the same
        except BusError as error:
            raise NotConformError(f"{size} bytes: {error}", SIZES) from error
        if not came or not replayed or set(box.newest.values()) != {payload}:
            raise NotConformError(f"{size} bytes do not arrive whole", SIZES)
    return Remark(f"{bench.limits.sizes[-1]} bytes")


async def carries_names(bench: Bench) -> Remark:
    """Topics made of any name, as we spell them, arrive as they are; so do long ones."""
    names = (escape(_ODD), escape("\U0001f600" * 20), "x" * 400, "/".join("abcdefgh"), escape("$SYS"))
    topics = {bench.topic(f"names/{name}"): b"1" for name in names}
    async with bench.session(_ODD) as session:
        await bench.publish(session, [Publication(topic, b"1") for topic in topics])
    found = await bench.retained("b", "names/#")
    if found != topics:
        raise NotConformError(f"{len(topics) - len(found)} of {len(topics)} odd names do not come through")
    return Remark(f"{len(topics)} odd names")


async def counts_what_it_drops(bench: Bench) -> Remark:
    """A broker that has counters of its own under ``$SYS`` tells when it dropped a message; `jobplan doctor` looks at them."""
    box = Box()
    async with bench.session("a", box) as session:
        try:
            await session.subscribe([DROPPED])
            await bench.until(lambda: len(box.deliveries) > 0, 0.5)
        except (RefusedError, ReplayError):
            return Remark("$SYS may not be read: dropped messages cannot be counted", note=True)
    if not box.deliveries:
        return Remark("no $SYS counters: dropped messages cannot be counted", note=True)
    return Remark("$SYS counts dropped messages")


async def keeps_apart(bench: Bench, other: Bus) -> Remark:
    """What only the first user may write and read, the second one may not: its access rules are in force."""
    topic = bench.topic("apart")
    box = Box()
    said = False
    async with (
        bench.session("a", box) as session,
        other.connect(client=bench.client("other"), will=None, on_delivery=Box()) as stranger,
    ):
        await session.subscribe([topic])
        try:
            await stranger.publish([Publication(topic, b"stranger", retain=False)])
        except RefusedError:
            said = True
        await bench.publish(session, [Publication(topic, b"own")])
        await bench.until(lambda: box.newest.get(topic) == b"own")
    if any(delivery.payload == b"stranger" for delivery in box.deliveries):
        raise NotConformError(
            "the second user writes where only the first may", "give it access rules: 'jobplan broker init'"
        )
    read = Box()
    async with other.connect(client=bench.client("other"), will=None, on_delivery=read) as stranger:
        try:
            await stranger.subscribe([topic])
            await bench.until(lambda: len(read.deliveries) > 0, 0.5)
        except (RefusedError, ReplayError):
            pass
    if read.deliveries:
        raise NotConformError(
            "the second user reads what only the first may", "give it access rules: 'jobplan broker init'"
        )
    return Remark("kept out" if said else "kept out, without being told so", note=not said)


async def survives_restart(bench: Bench, restart: Restart) -> Remark:
    """What is retained is there after an orderly restart, for the first who asks."""
    count = min(bench.limits.many, 1_000)
    async with bench.session("a") as session:
        await bench.publish(session, [Publication(bench.topic(f"kept/{number}"), b"1") for number in range(count)])
    await restart()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + bench.limits.restart
    first: int | None = None
    while loop.time() < deadline:
        try:
            found = len(await bench.retained("b", "kept/#"))
        except BusError:
            await asyncio.sleep(0.2)
            continue
        if first is None:
            first = found
        if found == count:
            late = f"; the first who asked saw {first}" if first < count else ""
            return Remark(f"all {count} topics are back{late}", note=first < count)
        await asyncio.sleep(0.2)
    raise NotConformError(
        "no broker after the restart" if first is None else f"{first} of {count} topics are back",
        "mosquitto: persistence true, persistence_location, autosave_interval 30; NATS: jetstream store_dir",
    )
