"""Comments: a grow-only set of remarks, their copies, new versions and deletions."""
