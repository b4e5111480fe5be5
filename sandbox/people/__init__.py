"""What people and trackers do under a seed: scripts of steps, profiles of them, the hands that carry a step out, and
the weather. Imports nothing of connectors, mappings or sync."""

from sandbox.people.admin import file_of
from sandbox.people.people import People
from sandbox.people.profiles import PROFILES, Profile
from sandbox.people.script import Script, Step, script_of
from sandbox.people.weather import Weather

__all__ = ["PROFILES", "People", "Profile", "Script", "Step", "Weather", "file_of", "script_of"]
