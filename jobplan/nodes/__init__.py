"""Running a node as a process: its settings, its log, the service manager, and its end."""
