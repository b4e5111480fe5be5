"""Proof that the simulated trackers speak as the real ones do: their answers against the published specifications, and
the recorded exchanges replayed. The material lies in ``../shared/specs``; without it everything here is off."""
