"""Pages of liaison: HTTP to action or query."""
