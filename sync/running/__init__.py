"""The daemon: passes at the file's pace, the signals it hears, whether its passes end, what was not done in time."""
