"""What things mean: stages, fields, routes, people, text and disclosure. Pure; imports nothing of ours."""
