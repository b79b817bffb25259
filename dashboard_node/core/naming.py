"""What requests name: whether it is there. If not, the answer says so, and which name was perhaps meant. Changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dashboard_node.core.state import State
from schemas.estimates import EstimateEnd, ReadDurations, ReadJobHistory
from schemas.near import unknown
from schemas.queries import Forecast, ListNotifications, ListVersions, ReadCalendar, ReadVersion
from schemas.requests import (
    Act,
    Answer,
    DashboardRequest,
    DeleteCalendar,
    DeletePlan,
    EnablePlan,
    EndInstance,
    MoveEnd,
    MuteNotifications,
    PrepareInstance,
    ResetInstance,
    SetParameters,
    StartInstance,
    TestNotification,
    UnmuteNotifications,
)


def stranger(state: State, request: DashboardRequest) -> Answer | None:
    """The answer to a request that names a plan, an instance or a calendar that is not there; None: all of it is there."""
    match request:
        case (
            StartInstance()
            | PrepareInstance()
            | EnablePlan()
            | DeletePlan()
            | ListVersions()
            | ReadVersion()
            | ReadJobHistory()
            | ReadDurations()
        ):
            return _looked_for("plan", request.plan, state.plans)
        case MuteNotifications() | UnmuteNotifications() | TestNotification() | Forecast() | ListNotifications():
            return None if request.plan is None else _looked_for("plan", request.plan, state.plans)
        case EndInstance() | MoveEnd() | SetParameters() | ResetInstance() | Act() | EstimateEnd():
            return _looked_for("instance", request.instance, state.instances)
        case ReadCalendar() | DeleteCalendar():
            return _looked_for("calendar", request.name, state.calendars)
        case _:
            return None


def _looked_for(what: str, name: str, known: Collection[str]) -> Answer | None:
    return None if name in known else no_such(what, name, known)


def no_such(what: str, name: str, known: Iterable[str], *, of: str = "") -> Answer:
    """The answer to whoever names what is not there."""
    return Answer(ok=False, unknown=True, reason=unknown(what, name, known, of=of))
