"""A simulated organisation of Azure DevOps Services: work items, comments, queries and the reporting feed."""

from sandbox.azure_devops.fields import Field
from sandbox.azure_devops.model import Person
from sandbox.azure_devops.switches import Switches
from sandbox.azure_devops.tracker import AzureDevOps

__all__ = ["AzureDevOps", "Field", "Person", "Switches"]
