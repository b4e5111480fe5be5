"""The admin's file of the histories."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path


@cache
def file_of(page: int = 0) -> str:
    """The file, with every tracker's ``page`` set where it is not 0: so small that pages break in the middle of what
    belongs together."""
    text = (Path(__file__).parent / "file.toml").read_text(encoding="utf-8")
    return re.sub(r"^kind = .*$", rf"\g<0>\npage = {page}", text, flags=re.MULTILINE) if page else text
