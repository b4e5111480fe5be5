"""What the sides settle on: fields and status, merged by each item's own echo, and the writes that follow."""
