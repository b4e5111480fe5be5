"""Wiki markup read into a document, as version 3 of the API shows what was written through version 2."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from sandbox.jira.adf import SIGNS, Node

_FENCE = re.compile(r"\{code(?::([\w+#-]+))?\}\n?(.*?)\n?\{code\}|\{quote\}\n?(.*?)\n?\{quote\}", re.DOTALL)
_HEADING = re.compile(r"h([1-6])\.\s+(.*)")
_ITEM = re.compile(r"([*#]+)\s+(.*)")
#: what the renderer leaves to the browser (ENTITY_PATTERN of its HtmlEscaper)
ENTITY = re.compile("&[#A-Za-z0-9][A-Za-z0-9]{1,7};")
#: spans are bounded, so that no text takes more than a moment. Two backslashes break the line, one escapes these signs
#: (the renderer's ESCAPING_PATTERN, quoted in Atlassian's editor), and an entity stands for its character
_INLINE = re.compile(
    r"(?P<break>\\\\)"
    r"|\\(?P<literal>[#*_+?^~|%{}()!@\[\]-])"
    rf"|(?P<entity>{ENTITY.pattern})"
    r"|\{\{(?P<code>[^\n]{1,500}?)\}\}"
    r"|\[~accountid:(?P<mention>[^\]\s]{1,200})\]"
    r"|\[(?:(?P<label>[^\]|\n]{1,500})\|)?(?P<url>(?:https?://|mailto:)[^\]|\s]{1,2000})\]"
    r"|(?<![\w\\])(?P<sign>[*_+-])(?=\S)(?P<span>[^\n]{1,500}?)(?<=\S)(?<!\\)(?P=sign)(?!\w)"
)
#: escaped signs, and who is called by name: in Jira Cloud by account id, in Data Center by user name
_CALLED = re.compile(r"\\[^\w\s]|\[~(?P<cloud>accountid:)?(?P<who>[^\]\s|]{1,200})\]")
_MARKS = {sign: name for name, sign in SIGNS.items()}


def document(text: str) -> dict[str, Any]:
    """Blocks parted by empty lines, lists and headings by lines, other lines of a block by hard breaks."""
    return {"type": "doc", "version": 1, "content": list(blocks(text)) or [{"type": "paragraph", "content": []}]}


def called(text: str) -> list[tuple[bool, str]]:
    """Whom a text mentions outside of code, in order: whether by account id, and the id or user name."""
    plainly = _FENCE.sub(lambda fence: fence[0] if fence[2] is None else "", text)
    return [(bool(found["cloud"]), found["who"]) for found in _CALLED.finditer(plainly) if found["who"]]


def blocks(text: str) -> Iterator[Node]:
    at = 0
    for fence in _FENCE.finditer(text):
        yield from plain(text[at : fence.start()])
        yield quoted(fence[3]) if fence[2] is None else code(fence[1], fence[2])
        at = fence.end()
    yield from plain(text[at:])


def quoted(text: str) -> Node:
    return {"type": "blockquote", "content": list(plain(text)) or [{"type": "paragraph", "content": []}]}


def code(language: str | None, text: str) -> Node:
    node: Node = {"type": "codeBlock", "attrs": {"language": language} if language else {}}
    return node | {"content": [{"type": "text", "text": text}] if text else []}


def plain(text: str) -> Iterator[Node]:
    """The blocks of a text without fences."""
    for part in re.split(r"\n[ \t]*\n", text.strip("\n")):
        lines: list[str] = []
        rows: list[tuple[str, str]] = []
        for line in part.split("\n"):
            item = _ITEM.fullmatch(line)
            if rows and not item:
                yield listing(rows)
                rows = []
            if lines and (item or _HEADING.fullmatch(line) or line == "----"):
                yield paragraph(lines)
                lines = []
            if item:
                rows.append((item[1], item[2]))
            elif heading := _HEADING.fullmatch(line):
                yield {"type": "heading", "attrs": {"level": int(heading[1])}, "content": inline(heading[2])}
            elif line == "----":
                yield {"type": "rule"}
            elif line.strip() or lines:
                lines.append(line)
        if rows:
            yield listing(rows)
        if lines:
            yield paragraph(lines)


def paragraph(lines: list[str]) -> Node:
    content = inline(lines[0])
    for line in lines[1:]:
        content += [{"type": "hardBreak"}, *inline(line)]
    return {"type": "paragraph", "content": content}


def listing(rows: list[tuple[str, str]], depth: int = 1) -> Node:
    """Rows of signs and words as a list; those with more signs are a list in the item before them."""
    items: list[Node] = []
    at = 0
    while at < len(rows):
        item: Node = {"type": "listItem", "content": [{"type": "paragraph", "content": inline(rows[at][1])}]}
        end = at + 1
        while end < len(rows) and len(rows[end][0]) > depth:
            end += 1
        if end > at + 1:
            item["content"].append(listing(rows[at + 1 : end], depth + 1))
        items.append(item)
        at = end
    return {"type": "orderedList" if rows[0][0].endswith("#") else "bulletList", "content": items}


def inline(text: str, marks: tuple[Node, ...] = ()) -> list[Node]:
    """A line's nodes; neighbouring texts of the same marks are one."""
    found: list[Node] = []
    at = 0
    for match in _INLINE.finditer(text):
        add(found, text[at : match.start()], marks)
        at = match.end()
        if match["literal"] or match["entity"]:
            add(found, match["literal"] or html.unescape(match["entity"]), marks)
        elif match["break"]:
            found.append({"type": "hardBreak"})
        elif match["code"]:
            add(found, match["code"], (*marks, {"type": "code"}))
        elif match["mention"]:
            found.append({"type": "mention", "attrs": {"id": match["mention"]}})
        elif match["url"] and match["label"]:
            found += inline(match["label"], (*marks, {"type": "link", "attrs": {"href": match["url"]}}))
        elif match["url"]:
            found.append({"type": "inlineCard", "attrs": {"url": match["url"]}})
        else:
            found += inline(match["span"], (*marks, {"type": _MARKS[match["sign"]]}))
    add(found, text[at:], marks)
    return found


def add(nodes: list[Node], text: str, marks: tuple[Node, ...]) -> None:
    if not text:
        return
    if nodes and nodes[-1]["type"] == "text" and nodes[-1].get("marks", []) == list(marks):
        nodes[-1]["text"] += text
    else:
        nodes.append({"type": "text", "text": text} | ({"marks": list(marks)} if marks else {}))
