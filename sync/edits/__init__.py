"""Edits of the admin's file on a live state: what applies at once, what waits, and what it would do."""
