"""Screens of telemonitoring, by noun."""
