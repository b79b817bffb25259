"""An agent: it runs commands, watches files and clocks on its host, and shows what happened. Never imports the dashboard."""
