"""What of an agent is measured: its tables as they stand, and what a turn did to runs and fires. Decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from agent_node.core import wishes
from agent_node.core.lifecycle import Stage
from agent_node.core.records import WATCHES, Run, Watch
from agent_node.core.state import State
from broker.metrics.registry import Registry
from broker.metrics.table import Fact
from broker.runtime.measuring import Measured
from broker.runtime.selfwatch import Identity


def facts(state: State, identity: Identity) -> Iterator[Fact]:
    """What stands now; load and disk as its presence says them."""
    said = identity.condition
    yield Fact("jobplan_running", state.active_count)
    yield Fact("jobplan_capacity", state.rules.concurrency)
    yield Fact("jobplan_waiting", len(state.waiting))
    watches = [watch for _, watch in state.all(WATCHES)]
    kinds = Counter("problem" if one.problem else "fires" if one.active else "rests" for one in watches)
    yield from (Fact("jobplan_watches", kinds[kind], (kind,)) for kind in ("fires", "rests", "problem"))
    yield Fact("jobplan_fires_untaken", sum(len(one.fires) for one in watches))
    condition = wishes.condition(state)
    yield Fact("jobplan_draining", condition.draining)
    yield Fact("jobplan_dry_run", wishes.pretends(state))
    yield Fact("jobplan_disk_full", condition.disk_full)
    if said.disk_free is not None:
        yield Fact("jobplan_disk_free_bytes", said.disk_free)
    yield Fact("jobplan_host_load", said.load)


def of_turn(measured: Measured, registry: Registry) -> None:
    """How long runs waited and how late clocks were, for those that this turn is about."""
    turn = measured.turn
    for record in turn.rows.values():
        if isinstance(record, Run) and record.stage is Stage.STARTING:
            registry.observe("jobplan_run_wait_seconds", (turn.now - record.accepted).total_seconds())
        elif isinstance(record, Watch):
            for fire in record.fires:
                if fire.due is not None and fire.at == turn.now and fire.outcome.counts:
                    registry.observe("jobplan_fire_late_seconds", (fire.at - fire.due).total_seconds())
