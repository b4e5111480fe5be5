"""Who speaks for a side that has several items, what reaches the others, and the gates of stages."""
