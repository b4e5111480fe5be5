"""Three simulated trackers over real HTTP. Stands apart: imports nothing of connectors, mappings or sync."""
