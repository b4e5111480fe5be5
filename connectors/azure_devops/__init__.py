"""Azure DevOps through the azure-devops library: the reporting feed, batches of work items, JSON Patch, comments."""

from connectors.azure_devops.connector import AzureDevOps

__all__ = ["AzureDevOps"]
