"""``python -m jobplan``."""

from jobplan.cli import main

main(prog_name="jobplan")
