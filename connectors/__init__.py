"""How each tracker is spoken to. Knows nothing of links, stages or rules; connectors are unaware of each other."""
