"""Files: uploaded first, in one piece or in chunks, and then linked to an item."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.azure_devops.errors import Problem
from sandbox.azure_devops.model import Relation, guid

_ID = re.compile(r"/attachments/([0-9a-f-]{36})", re.IGNORECASE)


@dataclass(slots=True)
class File:
    """``total`` is the length that was announced; the file is there when it is reached."""

    id: str
    name: str
    content: bytes = b""
    total: int | None = None

    @property
    def whole(self) -> bool:
        return self.total is None or len(self.content) == self.total


class Files:
    """What was uploaded, by id. ``made`` counts every upload ever, so that an id is not given again after a backup was
    restored: the service's are drawn at random (wit POST attachments)."""

    def __init__(self) -> None:
        self.by_id: dict[str, File] = {}
        self.made = 0

    def add(self, name: str, content: bytes, *, total: int | None = None) -> File:
        file = File(guid("file", str(self.made)), name, content, total)
        self.by_id[file.id] = file
        self.made += 1
        return file

    def named(self, id: str) -> File:
        """Raises 404 for a file that is not there, or not there whole."""
        found = self.by_id.get(id.lower())
        if found is None or not found.whole:
            raise no_file(id)
        return found

    def describe(self, one: Relation) -> None:
        """Gives a relation the name and size of the file that its address names. Raises 404."""
        match = _ID.search(one.url)
        file = self.named(match[1] if match else "")
        one.name, one.size = one.name or file.name, len(file.content)


def no_file(id: str) -> Problem:
    return Problem(404, f"TF237094: Could not find the attachment {id}.", "AttachmentNotFoundException")
