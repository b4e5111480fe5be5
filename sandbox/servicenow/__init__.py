"""A simulated ServiceNow instance: Table API, encoded queries, journals, data policies and business rules."""

from sandbox.servicenow.model import Model, incident_model, problem_model
from sandbox.servicenow.tracker import ServiceNow

__all__ = ["Model", "ServiceNow", "incident_model", "problem_model"]
