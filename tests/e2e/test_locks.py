"""Locks as operators free them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.nodes import a_command, an_installation, write_plan
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(120)


def test_a_lock_is_freed_by_its_holder_or_its_queue(tmp_path: Path) -> None:
    """Submitted at once, jobs queue as in the plan; who waits is taken out, who holds is killed; names are checked."""
    names = ("One", "Two", "Three")
    members = [{"agentName": "north", "jobName": name, "contextName": "Locked", "lockCount": 1} for name in names]
    locks = [{"name": "ledger", "lockCount": 1, "jobs": {"Locked": members}}]
    with an_installation(tmp_path) as nodes:
        nodes.start("north")
        jobs = [a_command(name, "exec sleep 60", participatesInLock=True) for name in names]
        nodes.do(
            "plan", "import", str(write_plan(tmp_path / "Locked", jobs, {name: [] for name in names}, jobLocks=locks))
        )
        nodes.do("instance", "start", "Locked")
        nodes.do("job", "submit", "Locked", "--yes")

        def stand(**wanted: str) -> None:
            until(
                lambda: wanted.items() <= nodes.statuses("Locked").items(),
                within=20.0,
                what=lambda: f"{wanted}: {nodes.statuses('Locked')}; {nodes.logs()}",
            )

        stand(One="RUNNING", Two="LOCK_QUEUED", Three="LOCK_QUEUED")
        why = nodes.do("job", "why", "Locked", "Three")
        killed = nodes.do("lock", "release", "ledger", "--yes")
        stand(One="KILLED", Two="RUNNING", Three="LOCK_QUEUED")
        reset = nodes.do("lock", "release", "ledger", "--queue", "--yes")
        stand(Two="RUNNING", Three="WAITING")
        unknown = nodes.run("lock", "release", "leger", "--yes")
        again = nodes.run("lock", "release", "ledger", "--queue", "--yes")
        nodes.do("instance", "end", "Locked", "--yes")

    assert re.search(
        r"^  waits for lock ledger, held by One since \d{4}-\S+Z; 1 before it in the queue$",
        why,
        re.MULTILINE,
    )
    assert killed.startswith("killed One (Locked-")
    assert reset.startswith("reset Three (Locked-")
    assert unknown.stderr == "jobplan: lock 'leger' is unknown; did you mean 'ledger'?\n"
    assert (again.returncode, again.stderr) == (0, "nobody waits for ledger\n")
