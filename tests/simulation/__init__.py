"""The promises under faults, on virtual time: both real cores, the life of a node, a model of the broker, and a seed.

There is no event loop and no clock: `world` holds a heap of actions, and whatever could differ between two runs is drawn from
the seed. A dashboard and three agents live through it as `cluster` puts them together, `faults` takes away what can be taken
away, and `checkers` judge what happened by the trace alone. `python -m tests.simulation --seed N --trace` tells one story again.
"""
