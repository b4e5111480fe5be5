"""Makes Python trust the authority in TRUSTED_CA where a client offers no setting for one: as an organisation does that
puts its own authority into certifi's bundle."""

import os

import certifi

if authority := os.environ.get("TRUSTED_CA"):
    certifi.where = lambda: authority
