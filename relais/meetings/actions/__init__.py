"""Every write about permanent rooms and meetings, by noun."""
