"""What people ask of a Lockstep that may be at work already."""
