"""Every write of telemonitoring, by noun."""
