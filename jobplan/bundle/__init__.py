"""Ikasan's bundles: read them, check their shape, write them.

The public names, nothing else.
"""

from jobplan.bundle.contents import Limits
from jobplan.bundle.errors import BundleError, describe_faults
from jobplan.bundle.model import Bundle
from jobplan.bundle.reading import load
from jobplan.bundle.tokens import suggested_tokens
from jobplan.bundle.writing import export

__all__ = ["Bundle", "BundleError", "Limits", "describe_faults", "export", "load", "suggested_tokens"]
