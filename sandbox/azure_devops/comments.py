"""The routes of comments, preview only: the project is required, pages go by continuation token."""

from __future__ import annotations

import base64
from typing import Any

from sandbox.azure_devops.call import Call, answered
from sandbox.azure_devops.errors import bad_request, no_comment
from sandbox.azure_devops.model import Comment, WorkItem
from sandbox.azure_devops.values import numeral
from sandbox.wire import Answer


def get_comments(call: Call) -> Answer:
    call.need_project()
    item = call.item("workItemId")
    if call.args.get("commentId"):
        comment = named(call, deleted=call.flag("includeDeleted"))
        return answered(shown(call, item, comment))
    kept = [comment for comment in item.comments if call.flag("includeDeleted") or not comment.deleted]
    wanted = {numeral(id) for id in call.listed("ids")}
    kept = [comment for comment in kept if not wanted or comment.id in wanted]
    down = call.query("order", "desc").lower() == "desc"
    kept.sort(key=lambda comment: comment.id, reverse=down)
    return answered(page(call, kept, down))


def page(call: Call, kept: list[Comment], down: bool) -> dict[str, Any]:
    """One page. The token stands for the last comment given; there is none on the last page."""
    after = last_given(call.query("continuationToken"))
    rest = [comment for comment in kept if not after or (comment.id < after if down else comment.id > after)]
    size = min(call.number("$top", call.org.switches.comment_page) or 1, call.org.switches.comment_page)
    listed, item = rest[:size], call.item("workItemId")
    body: dict[str, Any] = {
        "totalCount": len(kept),
        "count": len(listed),
        "comments": [shown(call, item, comment) for comment in listed],
    }
    if len(rest) > size:
        address, token = call.render.item_url(item, "comments"), token_of(listed[-1])
        body["nextPage"] = f"{address}?$top={size}&continuationToken={token}&api-version=7.1-preview.4"
        body["continuationToken"] = token
    return body


def token_of(comment: Comment) -> str:
    """Opaque, as in the vendor's example."""
    return base64.urlsafe_b64encode(f"after comment {comment.id}".encode()).decode().rstrip("=")


def last_given(token: str) -> int:
    """The comment that a token stands for, 0 without one. Raises 400."""
    if not token:
        return 0
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except ValueError:
        text = ""
    after = numeral(text.removeprefix("after comment "))
    if after is None or not text.startswith("after comment "):
        raise bad_request(f"The continuation token '{token}' is not valid.")
    return after


def rendered(call: Call) -> bool:
    return call.query("$expand").lower() in ("renderedtext", "renderedtextonly", "all")


def shown(call: Call, item: WorkItem, comment: Comment) -> dict[str, Any]:
    """A comment with what ``$expand`` asks for."""
    body = call.render.comment(item, comment, rendered=rendered(call))
    if call.query("$expand").lower() in ("reactions", "all"):
        body["reactions"] = [reaction(call, item, comment, kind) for kind in comment.reactions]
    if call.query("$expand").lower() in ("mentions", "all"):
        body["mentions"] = [
            {"artifactId": str(item.id), "artifactType": "WorkItem", "commentId": comment.id, "targetId": who}
            for id, said, who in call.org.mailed
            if (id, said) == (item.id, comment.id)
        ]
    return body


def named(call: Call, *, deleted: bool = False) -> Comment:
    """The comment that the route names; a deleted one is found only where it is asked for."""
    text, item = call.args["commentId"], call.item("workItemId")
    comment = call.org.comment_of(item, numeral(text) or 0)
    if comment.deleted and not deleted:
        raise no_comment(item.id, comment.id)
    return comment


def text_of(call: Call) -> str:
    body = call.body()
    if not isinstance(body, dict) or not isinstance(body.get("text"), str):
        raise bad_request("The comment text cannot be empty.")
    return str(body["text"])


def format_of(call: Call, default: str) -> str:
    format = call.query("format").lower() or default
    if format not in ("html", "markdown", ""):
        raise bad_request(f"The value '{format}' is not valid for format.")
    return format


def post_comment(call: Call) -> Answer:
    call.need_project()
    item = call.item("workItemId")
    call.org.check_wall(item)
    comment = call.org.say(item, text_of(call), format_of(call, "html"), call.who)
    return answered(call.render.comment(item, comment, rendered=True))


def patch_comment(call: Call) -> Answer:
    call.need_project()
    item, comment = call.item("workItemId"), named(call)
    call.org.edit_comment(item, comment, text_of(call), format_of(call, ""), call.who)
    return answered(call.render.comment(item, comment, rendered=True))


def delete_comment(call: Call) -> Answer:
    call.need_project()
    item, comment = call.item("workItemId"), named(call)
    call.org.remove_comment(item, comment, call.who)
    return answered(call.render.comment(item, comment))


# -- versions and reactions


def get_versions(call: Call) -> Answer:
    """Every text that a comment had, the newest first."""
    item, comment = call.item("workItemId"), named(call, deleted=True)
    asked = call.args.get("version")
    if not asked:
        return call.listing([call.render.version(item, comment, n) for n in range(comment.version, 0, -1)])
    number = numeral(asked) or 0
    if not 1 <= number <= comment.version:
        raise no_comment(item.id, comment.id)
    return answered(call.render.version(item, comment, number))


_REACTIONS = ("like", "dislike", "heart", "hooray", "smile", "confused")


def reaction(call: Call, item: WorkItem, comment: Comment, kind: str) -> dict[str, Any]:
    who = comment.reactions.get(kind, set())
    return {
        "type": kind,
        "commentId": comment.id,
        "count": len(who),
        "isCurrentUserEngaged": call.who.unique_name in who,
        "url": call.render.item_url(item, "comments", comment.id, "reactions", kind),
    }


def change_reaction(call: Call) -> Answer:
    """PUT adds the caller's reaction, DELETE takes it away; neither is a revision."""
    item, comment, kind = call.item("workItemId"), named(call), call.args["reactionType"].lower()
    if kind not in _REACTIONS:
        raise bad_request(f"The value '{kind}' is not valid for reactionType.")
    who = comment.reactions.setdefault(kind, set())
    (who.add if call.request.method == "PUT" else who.discard)(call.who.unique_name)
    return answered(reaction(call, item, comment, kind))


def get_reactions(call: Call) -> Answer:
    item, comment = call.item("workItemId"), named(call)
    return call.listing([reaction(call, item, comment, kind) for kind in comment.reactions])
