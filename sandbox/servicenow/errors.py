"""What the instance answers instead of a result: ``{"error":{"message","detail"},"status":"failure"}``."""

from __future__ import annotations

from sandbox.wire import Answer


class Problem(Exception):
    """An answer that is not a success (ServiceNow docs, REST API HTTP response codes)."""

    def __init__(self, status: int, message: str, detail: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.detail = status, message, detail

    def answer(self) -> Answer:
        error = {"message": self.message, "detail": self.detail}
        return Answer.of({"error": error, "status": "failure"}, self.status)


class DataPolicy(Problem):
    """Mandatory fields are empty. The fields are named by their labels (public reports of the wire format)."""

    def __init__(self, labels: list[str]) -> None:
        listed = ", ".join(labels)
        detail = f"Data Policy Exception: The following fields are mandatory: {listed}"
        super().__init__(403, "Operation Failed", detail)


class Aborted(Problem):
    """A business rule called ``current.setAbortAction(true)``."""

    def __init__(self, rule: str, table: str = "incident", sys_id: str = "52fd3d1d0a0a0b9200c7a8b1aa3c2e4f") -> None:
        where = f"Operation against file '{table}' was aborted by Business Rule '{rule}^{sys_id}'."
        super().__init__(403, "Operation Failed", f"{where} Business Rule Stack:{rule}")


def not_authenticated() -> Problem:
    return Problem(401, "User Not Authenticated", "Required to provide Auth information")


def not_found() -> Problem:
    return Problem(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")


def invalid_table(name: str, status: int = 400) -> Problem:
    return Problem(status, f"Invalid table {name}")


def no_such_resource() -> Problem:
    return Problem(400, "Requested URI does not represent any resource")


def no_right(operation: str) -> Problem:
    """``operation``: Insert, Update or Delete."""
    return Problem(403, "Operation Failed", f"ACL Exception {operation} Failed due to security constraints")


def duplicate_key(column: str, value: str) -> Problem:
    """A column that an admin made unique (quoted in ServiceNow's own knowledge base)."""
    detail = f"Unique Key violation detected by database (Duplicate entry '{value}' for key '{column}')"
    return Problem(403, "Operation Failed", detail)


def too_large(length: int, limit: int) -> Problem:
    """A payload above glide.rest.max_content_length (the sentence is from ServiceNow's release notes)."""
    detail = f"Rejected large REST payload with content-length = {length} bytes. Max allowed: {limit} bytes."
    return Problem(400, "Bad Request", detail)
