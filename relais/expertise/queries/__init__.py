"""What the screens of tele-expertise need."""
