"""Plan files: what waits for a person, approved by hash and carried out exactly."""
