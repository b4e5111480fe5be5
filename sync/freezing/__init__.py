"""When nothing is written: freeze windows, pauses, and guards that stop a pass that would do too much."""
