"""What people and trackers do under a seed: scripts of steps, profiles of them, and the hands that carry a step out.
Imports nothing of connectors, mappings or sync."""

from sandbox.people.people import People
from sandbox.people.profiles import PROFILES, Profile
from sandbox.people.script import Script, Step, script_of

__all__ = ["PROFILES", "People", "Profile", "Script", "Step", "script_of"]
