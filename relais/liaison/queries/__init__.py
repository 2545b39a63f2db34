"""What the screens of liaison need, across models, already prefetched."""
