"""Scenarios of agents that are decided before an agent is asked; 182 to 213 otherwise stand with the agent's own tests."""

from __future__ import annotations

from tests.scenarios.telling import tell


def test_scenario_198_a_skipped_job_needs_no_agent() -> None:
    """It is passed over in the same step: no run is handed over, so there is no process and no log; what follows it starts."""
    tell("P[a b c | b<-and(a) c<-and(b)]", "skip(b) ->\n S(a) -> init{a}\n OK(a) -> b=KC init{c}")
