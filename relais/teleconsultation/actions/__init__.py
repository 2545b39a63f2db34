"""Every write of a teleconsultation, by noun: booking, call, record."""
