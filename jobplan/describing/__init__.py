"""What others need to know of our documents, made from the code: the schema of plan files, and the topics.

The public names, nothing else.
"""

from jobplan.describing.plan_files import KINDS, Kind, plan_schema
from jobplan.describing.topics import asyncapi

__all__ = ["KINDS", "Kind", "asyncapi", "plan_schema"]
