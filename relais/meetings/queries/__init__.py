"""What screens of rooms and meetings need, by noun."""
