"""The demo: a broker, a dashboard and agents as processes of their own in one folder, one instance of a plan, one operator."""
