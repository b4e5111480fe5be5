"""What is one mail address, and nothing more."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.headerregistry import Address

#: without the domains that are an IP address in brackets
_FORM = re.compile(r"[!-~]+@[!-Z^-~]+")
#: the longest address that mail knows (RFC 5321, 4.5.3.1.3, without its brackets)
LONGEST = 254


def is_mail_address(text: str) -> bool:
    """Whether a text is one bare address that mail takes: a list, a name before it, or a letter that is not ASCII
    would have the whole message refused."""
    try:
        plain = len(text) <= LONGEST and bool(_FORM.fullmatch(text))
        return plain and Address(addr_spec=text).addr_spec == text
    except (ValueError, IndexError, HeaderParseError):
        return False
