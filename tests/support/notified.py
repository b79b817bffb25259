"""A dashboard that tells people, and what it told them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from dashboard_node.core.effects import Deliver
from dashboard_node.core.routing import Rules
from schemas.codec import decode
from schemas.notifications import (
    Monitor,
    Notification,
    NotificationContext,
    NotificationDetails,
)
from schemas.queries import ListNotifications, NotificationList
from tests.scenarios.house import mentioned
from tests.scenarios.notation import AGENT, plan
from tests.support.office import Office, at

RULES = Rules(monitors=frozenset(), mail=True)
EVERYTHING = NotificationContext(
    monitor_types=(Monitor.ERROR, Monitor.START, Monitor.COMPLETE, Monitor.OVERDUE, Monitor.RUNNING_TIME),
    email_send_to=("ops@example.com",),
)


class Desk(Office):
    """A dashboard that tells people, and what it told them."""

    rules = RULES

    def begin(self, heard: Any = (), **more: Any) -> None:  # noqa: ANN401  # as Office has it
        """A new life, with the settings of the last one."""
        super().begin(heard, **more)
        self.core.state.telling = self.rules

    def mails(self) -> list[tuple[str, str]]:
        """Monitor and job of every mail that was asked for, in order."""
        sent = [one for one in self.effects if isinstance(one, Deliver) and one.channel == "mail"]
        return [(str(one.notification.monitor), one.notification.job.removeprefix(f"{AGENT}-")) for one in sent]

    def told(self) -> list[Notification]:
        """Every notification on the topic, however often it was tried."""
        sent = [one.notification for one in self.effects if isinstance(one, Deliver) and one.channel == "mqtt"]
        return list({one.id: one for one in sent}.values())

    def listed(self, **query: Any) -> NotificationList:  # noqa: ANN401  # as ListNotifications has it
        """What a person sees."""
        return decode(bytes(self.ask(ListNotifications(**query)).data), NotificationList)


def a_desk(
    text: str = "P[a]",
    *contexts: NotificationContext,
    details: tuple[NotificationDetails, ...] = (),
    rules: Rules = RULES,
    jobs: Mapping[str, Mapping[str, Any]] | None = None,
    **fields: Any,  # noqa: ANN401  # whatever fields a plan has
) -> Desk:
    """A plan with these notifications, an instance of it, and nothing has happened yet."""
    desk = Desk(at("01-01 01:00"))
    desk.rules = desk.core.state.telling = rules
    source = plan(text, jobs=jobs, **fields)
    desk.imports(mentioned(replace(source, notifications=contexts, notification_details=details)))
    desk.start("P")
    return desk
