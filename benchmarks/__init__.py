"""What things cost, measured; each module is one command."""
