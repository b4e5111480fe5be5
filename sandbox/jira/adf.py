"""The Atlassian Document Format: what version 3 of the API takes and shows where version 2 has wiki markup.

Texts are kept as wiki markup. A document is normalised by being kept: neighbouring texts of one style become one, empty
blocks and attributes that mean nothing here go, and of nodes that the markup has no word for the text stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sandbox.jira.refusals import Invalid

NOT_A_DOCUMENT = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
Node = dict[str, Any]

#: marks and the signs that stand for them
SIGNS = {"strong": "*", "em": "_", "strike": "-", "underline": "+"}
_SPECIAL = re.compile(r"[\\*_+#{}\[\]|-]|&(?=[#A-Za-z0-9][A-Za-z0-9]{1,7};)")
#: what has no escape can only be told by its number (pandoc #5926)
_NUMBERS = {"\\": "&#92;", "&": "&#38;"}
BLOCKS = frozenset(
    "paragraph heading bulletList orderedList listItem codeBlock blockquote rule panel expand nestedExpand table "
    "tableRow tableCell tableHeader mediaSingle mediaGroup media taskList taskItem decisionList decisionItem "
    "layoutSection layoutColumn blockCard embedCard extension bodiedExtension".split()
)
INLINES = frozenset(
    "text hardBreak mention emoji date status inlineCard inlineExtension mediaInline placeholder".split()
)


def words(value: Any) -> str | None:
    """A document as wiki markup; raises ``Invalid`` for anything else, a string above all."""
    if value is None:
        return None
    if not isinstance(value, dict) or value.get("type") != "doc" or value.get("version") != 1:
        raise Invalid(NOT_A_DOCUMENT)
    try:
        return joined(block(node) for node in children(value))
    except RecursionError:
        raise Invalid(NOT_A_DOCUMENT) from None


def joined(blocks: Iterable[str]) -> str:
    return "\n\n".join(text for text in blocks if text)


def children(node: Node) -> list[Node]:
    """The nodes inside a node, each of a known type."""
    content = objects(node.get("content"))
    if any(str(child.get("type")) not in BLOCKS | INLINES for child in content):
        raise Invalid(NOT_A_DOCUMENT)
    return content


def attributes(node: Node) -> dict[str, Any]:
    found = node.get("attrs") or {}
    if not isinstance(found, dict):
        raise Invalid(NOT_A_DOCUMENT)
    return found


def objects(value: Any) -> list[Node]:
    """A list of objects, empty where it is left out."""
    found = value or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Invalid(NOT_A_DOCUMENT)
    return found


def block(node: Node) -> str:
    kind = node["type"]
    if kind == "rule":
        return "----"
    if kind == "codeBlock":
        language = attributes(node).get("language")
        code = "".join(str(child.get("text", "")) for child in children(node))
        return "{code" + (f":{language}" if language else "") + "}\n" + code + "\n{code}"
    if kind in ("bulletList", "orderedList"):
        return "\n".join(items(node, ""))
    inside = children(node)
    if any(child["type"] in BLOCKS for child in inside):
        text = joined(block(child) if child["type"] in BLOCKS else inline(child) for child in inside)
        return "{quote}\n" + text + "\n{quote}" if kind == "blockquote" else text
    line = "".join(inline(child) for child in inside)
    return f"h{attributes(node).get('level', 1)}. {line}" if kind == "heading" else line


def items(node: Node, prefix: str) -> Iterable[str]:
    """The lines of a list, those of the lists in it after the item they belong to."""
    prefix += "*" if node["type"] == "bulletList" else "#"
    for item in children(node):
        for child in children(item):
            if child["type"] in ("bulletList", "orderedList"):
                yield from items(child, prefix)
            else:
                yield f"{prefix} {block(child)}"


def inline(node: Node) -> str:
    given = attributes(node)
    match node["type"]:
        case "hardBreak":
            return "\n"
        case "mention":
            return f"[~accountid:{given.get('id', '')}]"
        case "inlineCard":
            return f"[{given.get('url', '')}]"
        case "text":
            return marked(node)
    return escaped(str(given.get("text") or given.get("shortName") or ""))


def marked(node: Node) -> str:
    """A text with its marks; an empty one is no node of the format."""
    text = node.get("text")
    if not isinstance(text, str) or not text:
        raise Invalid(NOT_A_DOCUMENT)
    marks = {str(mark.get("type")): attributes(mark) for mark in objects(node.get("marks"))}
    shown = "{{" + text + "}}" if "code" in marks else escaped(text)
    for name, sign in SIGNS.items():
        if name in marks:
            shown = f"{sign}{shown}{sign}"
    return f"[{shown}|{marks['link'].get('href', '')}]" if "link" in marks else shown


def escaped(text: str) -> str:
    """A text in which nothing is taken for markup."""
    return _SPECIAL.sub(lambda sign: _NUMBERS.get(sign[0]) or "\\" + sign[0], text)
