"""The Atlassian Document Format as far as version 3 of the API needs it here: paragraphs of text."""

from __future__ import annotations

from typing import Any

from sandbox.jira.refusals import Invalid

NOT_A_DOCUMENT = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"


def document(text: str) -> dict[str, Any]:
    """A text as a document, a paragraph for each line."""
    return {"type": "doc", "version": 1, "content": [paragraph(line) for line in text.split("\n")]}


def paragraph(line: str) -> dict[str, Any]:
    return {"type": "paragraph", "content": [{"type": "text", "text": line}] if line else []}


def words(value: Any) -> str | None:
    """The text of a document, block by block; raises ``Invalid`` for anything else, a string above all."""
    if value is None:
        return None
    if not isinstance(value, dict) or value.get("type") != "doc" or value.get("version") != 1:
        raise Invalid(NOT_A_DOCUMENT)
    return "\n".join(inline(block) for block in value.get("content", ()))


def inline(node: dict[str, Any]) -> str:
    if node.get("type") == "hardBreak":
        return "\n"
    return str(node.get("text", "")) + "".join(inline(child) for child in node.get("content", ()))
