"""What if? A plan played on virtual time by the dashboard's own core, without broker, agents or processes."""

from jobplan.simulate.cli import cli_main

__all__ = ["cli_main"]
