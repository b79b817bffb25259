"""The command line: ``jobplan NOUN VERB``. One module a noun, loaded only when it is used."""

from jobplan.cli.main import main

__all__ = ["main"]
