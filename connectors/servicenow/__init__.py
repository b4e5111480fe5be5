"""ServiceNow: task tables over the Table API, through pysnow."""

from connectors.servicenow.connector import ServiceNow

__all__ = ["ServiceNow"]
