"""The engine: notice, read, decide, guard, apply, settle."""
