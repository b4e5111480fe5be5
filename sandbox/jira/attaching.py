"""Files and hours on an issue, and who watches it."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Sequence
from dataclasses import replace

from sandbox.jira.issues import Attachment, Issue, Item, Worklog
from sandbox.jira.refusals import Rejected
from sandbox.jira.rules import within
from sandbox.jira.site import Site, User
from sandbox.jira.store import Store

FILES_LIMIT, SIZE_LIMIT = 60, 10_485_760
#: the site's working time: eight hours a day, five days a week
_SECONDS = {"w": 144_000, "d": 28_800, "h": 3600, "m": 60}


class Attaching:
    """Every method takes the acting user, raises ``Rejected`` and returns what it made."""

    def __init__(self, site: Site, store: Store) -> None:
        self.site, self.store = site, store

    # -- attachments

    def attach(self, user: User, issue: Issue, files: Sequence[tuple[str, str, bytes]]) -> list[Attachment]:
        """``files``: name, type and content of each; without a type it is told by the name."""
        if issue.archived or not self.site.may(user, issue.project, "CREATE_ATTACHMENTS"):
            raise Rejected(403, ["You do not have permission to create attachments for this issue."])
        if len(files) > FILES_LIMIT:
            raise Rejected(413, [f"No more than {FILES_LIMIT} files may be uploaded in one request."])
        made: list[Attachment] = []
        for name, kind, content in files:
            if len(content) > SIZE_LIMIT:
                raise Rejected(413, [f"The file '{name}' is larger than the maximum of {SIZE_LIMIT} bytes."])
            within(self.site.caps.attachments, (*issue.attachments, *made), "attachments")
            at, told = self.store.tick(), mimetypes.guess_type(name)[0] or "application/octet-stream"
            made.append(Attachment(self.store.next_id(), user.account_id, at, name, kind or told, content))
        items = tuple(Item("attachment", "Attachment", False, None, one.name, None, str(one.id)) for one in made)
        for one in made:
            self.store.belongs(one.id, issue)
        self.write(user, issue, items, attachments=(*issue.attachments, *made))
        return made

    def detach(self, user: User, issue: Issue, file: Attachment) -> None:
        own = file.author == user.account_id and self.site.may(user, issue.project, "DELETE_OWN_ATTACHMENTS")
        if issue.archived or not (own or self.site.may(user, issue.project, "DELETE_ALL_ATTACHMENTS")):
            raise Rejected(403, ["You do not have permission to delete attachment with id: " + str(file.id)])
        item = Item("attachment", "Attachment", False, file.name, None, str(file.id), None)
        self.write(user, issue, (item,), attachments=tuple(one for one in issue.attachments if one.id != file.id))

    def write(self, user: User, issue: Issue, items: tuple[Item, ...], **parts: object) -> None:
        at = self.store.tick()
        self.store.put(issue.written(at, user.account_id, self.store.next_id(), items, **parts))

    # -- worklogs

    def log(self, user: User, issue: Issue, started: int, seconds: int, text: str | None) -> Worklog:
        if issue.archived or not self.site.may(user, issue.project, "WORK_ON_ISSUES"):
            raise Rejected(400, ["You do not have the permission to associate a worklog to this issue."])
        within(self.site.caps.worklogs, issue.worklogs, "worklogs")
        at, who = self.store.tick(), user.account_id
        made = Worklog(self.store.next_id(), who, at, at, who, started, seconds, text)
        spent = sum(one.seconds for one in issue.worklogs)
        old, new = str(spent) if spent else None, str(spent + seconds)
        item = Item("timespent", "timespent", False, old, new, old, new)
        self.write(user, issue, (item,), worklogs=(*issue.worklogs, made))
        return made

    # -- watchers

    def watch(self, user: User, issue: Issue, account: str, watching: bool) -> None:
        """Moves neither ``updated`` nor the changelog."""
        mine = account == user.account_id
        if issue.archived or not (mine or self.site.may(user, issue.project, "MANAGE_WATCHERS")):
            raise Rejected(403, ["You do not have permission to manage the watcher list."])
        others = tuple(one for one in issue.watchers if one != account)
        self.store.put(replace(issue, watchers=(*others, account) if watching else others))


def seconds(words: str) -> int | None:
    """``3h 20m`` in seconds; ``None`` where it is no time spent."""
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([wdhm])", words)
    if not parts or re.sub(r"\d+(?:\.\d+)?\s*[wdhm]\s*", "", words).strip():
        return None
    return int(sum(float(count) * _SECONDS[unit] for count, unit in parts))


def spelled(total: int) -> str:
    """Seconds as Jira writes them: ``1d 2h``."""
    words: list[str] = []
    for unit, size in _SECONDS.items():
        count, total = divmod(total, size)
        if count:
            words.append(f"{count}{unit}")
    return " ".join(words) or "0m"
