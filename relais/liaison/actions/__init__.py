"""Every write of liaison: one verb, one transaction, one event."""
