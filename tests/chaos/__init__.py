"""A real broker, real nodes, real commands, and kill -9 at random: what virtual time has promised, seen on this machine.

`python -m tests.chaos --minutes 5 --seed 7` (``make chaos``) kills for so long, lets everything come to an end, and judges what
is left: on the broker, in the nodes' databases, and in the file to which each command has written its run's id.
"""
