"""Plain text in and out of each tracker's markup. What crosses is plain text: markup and mentions stay dead."""

from __future__ import annotations

import html
import re

from lxml import etree
from lxml import html as lxml_html

# XML 1.0 forbids these; Jira answers 400, and a journal row with NUL is cut there
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# always markup in Jira's wiki, or only at the edge of a word; a backslash that would escape what follows it or, beside
# another, break the line; an entity that would be read as a sign (ENTITY_PATTERN of Jira's renderer: ``&lt;`` shows <)
_WIKI = re.compile(
    r"[{}\[\]|!]|(?<!\w)[*_^~+-](?=\S)|\\(?=[#*_+?^~|%{}()!@\[\]\\-])|&(?=[#A-Za-z0-9][A-Za-z0-9]{1,7};)"
)
_ENTITIES = {"\\": "&#92;", "&": "&#38;"}
_ESCAPED = re.compile(r"\\([{}\[\]|!*_^~+-])|&#(38|92);")
_TAG = re.compile(r"<[^<>]*>")
_BLOCKS = frozenset("p div li ul ol table tr h1 h2 h3 h4 h5 h6 pre blockquote hr".split())


def trimmed(text: str) -> str:
    """The text with one kind of line end and nothing blank around it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip("\n").rstrip()


def clean(text: str) -> tuple[str, int]:
    """The text with one kind of line end, without control characters and lone surrogates, and how many went."""
    cleaned, removed = _CONTROL.subn("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return trimmed(cleaned), removed


def from_html(markup: str) -> str:
    """The words of an HTML text, block by block. Never raises; where nesting is deeper than the parser goes, or nothing
    can be made of the text, the words between its tags are taken as they stand."""
    if not markup.strip():
        return ""
    if "<" not in markup:
        return clean(_unpadded(html.unescape(markup)))[0]
    parser = lxml_html.HTMLParser(huge_tree=True, recover=True, remove_comments=True, remove_pis=True)
    try:
        root = lxml_html.document_fromstring(f"<div>{_CONTROL.sub('', markup)}</div>", parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        root = None
    if root is None or any("depth" in error.message for error in parser.error_log):
        return clean(_unpadded(html.unescape(_TAG.sub(" ", markup))))[0].strip()
    return clean("".join(_words(root)))[0]


def _words(root: etree._Element) -> list[str]:
    pieces: list[str] = []
    for event, node in etree.iterwalk(root, events=("start", "end")):
        tag = node.tag if isinstance(node.tag, str) else ""
        if event == "start":
            if tag in _BLOCKS and pieces and not pieces[-1].endswith("\n"):
                pieces.append("\n")
            if tag == "br":
                pieces.append("\n")
            if tag not in ("script", "style") and tag and node.text:
                pieces.append(_unpadded(node.text))
        else:
            if tag in _BLOCKS and pieces and not pieces[-1].endswith("\n"):
                pieces.append("\n")
            if node.tail and node is not root:
                pieces.append(_unpadded(node.tail))
    return pieces


def _unpadded(text: str) -> str:
    return text.replace("\xa0", " ")


def to_html(text: str) -> str:
    """Plain text as inert HTML: every character escaped, line ends as ``<br>``, runs of blanks kept."""
    return f"<div>{html_words(text)}</div>"


def html_words(text: str) -> str:
    """The same without an element around it."""
    return html.escape(text, quote=False).replace("  ", " &nbsp;").replace("\n", "<br>")


def to_wiki(text: str) -> str:
    """Plain text for Jira's wiki markup, its markup escaped: macros, links, images and mentions (``[~name]`` would mail
    people) stay dead. A sign inside a word needs no escape, so that ``snake_case`` stays readable. A backslash before
    markup is an entity: Jira's renderer takes none that stands behind another for an escape, and there is no other way
    to write one (pandoc #5926)."""
    return _WIKI.sub(lambda found: _ENTITIES.get(found[0]) or f"\\{found[0]}", text)


def from_wiki(text: str) -> str:
    """Jira's wiki markup as it stands, escapes undone, line ends unified. Undoes ``to_wiki`` exactly."""
    return clean(_ESCAPED.sub(lambda found: found[1] or chr(int(found[2])), text))[0]


def to_journal(text: str) -> str:
    """Plain text for a ServiceNow journal, where ``[code]`` would be rendered as HTML and ``@[`` begins a mention."""
    return re.sub(r"\[(?=/?code\])", "[ ", text, flags=re.IGNORECASE).replace("@[", "@ [")


def parts(text: str, limit: int) -> tuple[str, ...]:
    """The text in pieces of at most ``limit`` characters, cut at a line end or blank where one is near."""
    pieces = []
    while len(text) > limit:
        cut = max(text.rfind("\n", limit // 2, limit), text.rfind(" ", limit // 2, limit))
        cut = cut if cut > 0 else limit
        pieces.append(text[:cut])
        text = text[cut:].lstrip("\n") if text[cut : cut + 1] == "\n" else text[cut:].lstrip(" ")
    return (*pieces, text) if text or not pieces else tuple(pieces)
