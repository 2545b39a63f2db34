"""Every write of tele-expertise."""
