"""Pages of tele-expertise."""
