"""Jira Cloud and Data Center, through the library ``jira``."""

from connectors.jira.connector import Jira

__all__ = ["Jira"]
