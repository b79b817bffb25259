"""The client library: one person's connection to a broker. The command line, the demo and the tests use it, and so can you.

    async with connect(url) as client:
        await client.follow(Scope.PLANS, Scope.INSTANCES)
        for plan in client.picture.plans.values(): ...
        instance = await client.start_instance("Nightly")

It reconnects by itself, reads again what is retained, and asks again, under the same id, what was not answered.
"""

from __future__ import annotations

from jobplan.client.client import Client, client_on, connect
from jobplan.client.feed import Link, News
from jobplan.client.picture import Change, Picture
from jobplan.client.wire import JobsOf, RunsOf, Scope
from schemas.acted import Acted

__all__ = ["Acted", "Change", "Client", "JobsOf", "Link", "News", "Picture", "RunsOf", "Scope", "client_on", "connect"]
