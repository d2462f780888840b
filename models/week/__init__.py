"""The learned week: how a site's use spreads over weekdays and holidays (the clock of models/calendar.py)."""
