"""The routes of comments, preview only: the project is required, pages go by continuation token."""

from __future__ import annotations

from typing import Any

from sandbox.azure_devops.call import Call, answered
from sandbox.azure_devops.errors import bad_request
from sandbox.azure_devops.model import Comment
from sandbox.wire import Answer


def get_comments(call: Call) -> Answer:
    call.need_project()
    item = call.item("workItemId")
    if call.args.get("commentId"):
        return answered(call.render.comment(item, named(call), rendered=rendered(call)))
    kept = [comment for comment in item.comments if call.flag("includeDeleted") or not comment.deleted]
    wanted = {int(id) for id in call.listed("ids") if id.isdigit()}
    kept = [comment for comment in kept if not wanted or comment.id in wanted]
    down = call.query("order", "desc").lower() == "desc"
    kept.sort(key=lambda comment: comment.id, reverse=down)
    return answered(page(call, kept, down))


def page(call: Call, kept: list[Comment], down: bool) -> dict[str, Any]:
    """One page. The token is the id of the last comment given; none on the last page."""
    after = call.query("continuationToken")
    if after and not after.isdigit():
        raise bad_request(f"The continuation token '{after}' is not valid.")
    rest = [comment for comment in kept if not after or (comment.id < int(after) if down else comment.id > int(after))]
    size = min(call.number("$top", call.org.switches.comment_page) or 1, call.org.switches.comment_page)
    shown, item = rest[:size], call.item("workItemId")
    body: dict[str, Any] = {
        "totalCount": len(kept),
        "count": len(shown),
        "comments": [call.render.comment(item, comment, rendered=rendered(call)) for comment in shown],
    }
    if len(rest) > size:
        address = call.render.item_url(item, "comments")
        body["nextPage"] = f"{address}?$top={size}&continuationToken={shown[-1].id}&api-version=7.1-preview.4"
        body["continuationToken"] = str(shown[-1].id)
    return body


def rendered(call: Call) -> bool:
    return call.query("$expand").lower() in ("renderedtext", "renderedtextonly", "all")


def named(call: Call) -> Comment:
    text = call.args["commentId"]
    return call.org.comment_of(call.item("workItemId"), int(text) if text.isdigit() else 0)


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
