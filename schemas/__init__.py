"""The words on the wire and in plan files: names, statuses, plans, documents, requests, cron."""
