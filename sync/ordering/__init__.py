"""What rules and routes order in the trackers beside words and fields: to open, to assign, a stage, a relation."""
