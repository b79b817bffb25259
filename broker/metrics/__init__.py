"""Metrics and health of a node: what there is to measure, what a life gives of it, and how it is asked for over HTTP."""
