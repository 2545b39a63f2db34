"""Who may do what, in sentences, by noun."""
