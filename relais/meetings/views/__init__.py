"""Pages of rooms and meetings, by noun."""
