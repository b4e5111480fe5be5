"""What moved the work and when, the steps that are due when nothing did, and how they reach people."""
