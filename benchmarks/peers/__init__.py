"""Other schedulers on the same plans. Optional: nothing here runs in the tests."""
