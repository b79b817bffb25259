"""Which channel a delivery goes by: the bus, the mail server, a webhook. The only place that knows all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from broker.bus import Publication
from broker.errors import BusError
from broker.topics import Topics
from dashboard_node.channels import Channels
from dashboard_node.core.effects import Deliver
from dashboard_node.core.outbox import MAIL, MQTT, WEBHOOK
from dashboard_node.sending import Send
from dashboard_node.templates import subject_and_body
from dashboard_node.undelivered import UndeliveredError
from schemas.codec import encode_body
from schemas.names import PlanName

Publish = Callable[[Sequence[Publication]], Awaitable[None]]


class Channel:
    """Sends by whichever channel a delivery names."""

    def __init__(self, channels: Channels, templates: Path, properties: Mapping[PlanName, Mapping[str, str]]) -> None:
        self._channels = channels
        self._templates = templates
        self._properties = properties

    def sender(self, topics: Topics, publish: Publish, clock: Callable[[], datetime]) -> Send:
        """What carries out one delivery."""

        async def send(delivery: Deliver) -> None:
            told = delivery.notification
            if delivery.channel == MQTT:
                await _publish(Publication(topics.notification(told.plan), encode_body(told), retain=False), publish)
            elif delivery.channel == MAIL:
                await self._mail(delivery)
            else:
                await self._post(delivery, clock().timestamp())

        return send

    async def _mail(self, delivery: Deliver) -> None:
        from dashboard_node.mail import send_mail  # noqa: PLC0415  # only who sends mails loads what sends them

        properties = self._properties.get(PlanName(delivery.notification.plan), {})
        subject, body = subject_and_body(delivery.mail, properties, self._templates)
        await send_mail(delivery.notification, delivery.mail, subject, body, self._channels.mail)

    async def _post(self, delivery: Deliver, now: float) -> None:
        from dashboard_node.webhooks import post  # noqa: PLC0415  # only who posts loads what posts

        name = delivery.channel.removeprefix(WEBHOOK)
        hook = self._channels.webhooks.get(name)
        if hook is None:
            raise UndeliveredError(f"the settings know no webhook '{name}' any more", hopeless=True)
        await post(delivery.notification, hook, now)


async def _publish(publication: Publication, publish: Publish) -> None:
    try:
        await publish([publication])
    except BusError as error:
        raise UndeliveredError(f"the broker: {error}") from error
