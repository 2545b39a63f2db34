"""Screens of teleconsultation, by noun."""
