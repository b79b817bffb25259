"""The code broken on purpose, one place at a time: what the simulation does not notice, it does not prove.

`python -m tests.simulation.mutants` (``make sim-mutants``) tells seeds with each of them until a promise breaks. Half of them are
bugs that the simulation found: what they take away again is what put them right.
"""
