"""What the access rules (ACLs) let the API users see and do."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Rights:
    """``hidden`` are the sys_ids, ``hidden_fields`` the (table, field) kept from the API users, ``unwritable`` those
    whose new values are silently dropped, ``denied`` the (operation, table) refused: insert, update, delete.
    ``unreadable``, ``journal_readable`` and ``audit_readable``: a denied read of a table is an empty 200; properties
    are for admins.
    ``journal_shown``: the display value of a journal field carries its text (apis.md 1.4 [C]).
    ``strict_queries``: glide.invalid_query.returns_no_rows."""

    hidden: set[str] = field(default_factory=set)
    hidden_fields: set[tuple[str, str]] = field(default_factory=set)
    unwritable: set[tuple[str, str]] = field(default_factory=set)
    denied: set[tuple[str, str]] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=lambda: {"sys_properties"})
    journal_readable: bool = True
    audit_readable: bool = True
    journal_shown: bool = True
    strict_queries: bool = False

    def readable(self, table: str) -> bool:
        if table == "sys_journal_field" and not self.journal_readable:
            return False
        return table not in self.unreadable and not (table == "sys_audit" and not self.audit_readable)

    def refuses(self, operation: str, table: str) -> bool:
        """``operation``: insert, update or delete."""
        return (operation, table) in self.denied
