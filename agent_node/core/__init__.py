"""The agent's rules: pure and deterministic; no I/O, clock, chance or logging."""
