"""Cron expressions for people: explained in words, and compared with what Quartz says."""
