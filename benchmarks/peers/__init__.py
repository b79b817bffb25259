"""Other schedulers on the same plans. Optional: only what decides nothing of them runs in the tests."""
