"""What the screens of telemonitoring need, in a constant number of queries."""
