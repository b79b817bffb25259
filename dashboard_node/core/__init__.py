"""The dashboard's rules: pure functions of state and event."""
