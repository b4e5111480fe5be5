"""What the commands do, beside putting an instance together: they print, ask, and return an exit code."""
