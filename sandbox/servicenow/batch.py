"""The Batch API (ServiceNow docs, Batch API): several requests in one, run one after the other as the same user."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from sandbox.servicenow.database import Session
from sandbox.servicenow.errors import Problem
from sandbox.servicenow.quota import Quota
from sandbox.servicenow.rest import json_of
from sandbox.servicenow.switches import Switches
from sandbox.wire import Answer, Request

#: headers of the batch that its items have as well
_INHERITED = ("host", "accept", "cookie")
_SIZE = re.compile("[0-9]{1,18}")


class BatchApi:
    """``serve`` answers one item. At a limit of size or time the batch ends, and what is left is named as unserviced:
    it must be sent again."""

    def __init__(self, serve: Callable[[Request, Session], Answer], quota: Quota, switches: Switches) -> None:
        self.serve, self.quota, self.switches = serve, quota, switches

    def answer(self, request: Request, session: Session, version: str, first: str, second: str) -> Answer:
        if request.method != "POST":
            raise Problem(405, "Method not allowed", f"{request.method} is not supported for this resource")
        body = json_of(request)
        items = body.get("rest_requests") if isinstance(body, dict) else None
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise Problem(400, "Bad Request", "rest_requests is required")
        serviced: list[dict[str, Any]] = []
        for item in items:
            told = None if self.quota.ended else self.serviced(item, request, session)
            if told is None:
                break
            serviced.append(told)
        left = [str(item.get("id", "")) for item in items[len(serviced) :]]
        name = str(body.get("batch_request_id", ""))
        return Answer.of({"batch_request_id": name, "serviced_requests": serviced, "unserviced_requests": left})

    def serviced(self, item: Mapping[str, Any], batch: Request, session: Session) -> dict[str, Any] | None:
        """One item answered; ``None`` where it or its answer is too large, or the time was up while it ran."""
        request = self.taken(item, batch)
        if len(request.body) > self.switches.batch_input:
            return None
        before = self.quota.spent
        answer = self.serve(request, session)
        if self.quota.ended or len(answer.body) > self.largest(batch):
            return None
        spent = round((self.quota.spent - before) * 1000)
        wanted = {} if item.get("exclude_response_headers") is True else {**answer.headers}
        return {
            "id": str(item.get("id", "")),
            "body": base64.b64encode(answer.body).decode(),
            "status_code": answer.status,
            "status_text": HTTPStatus(answer.status).phrase,
            "headers": [{"name": name, "value": value} for name, value in wanted.items()],
            "execution_time": spent,
        }

    def taken(self, item: Mapping[str, Any], batch: Request) -> Request:
        """The request that an item stands for."""
        inherited = {name: batch.headers[name] for name in _INHERITED if name in batch.headers}
        listed = item.get("headers")
        given = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        own = {str(each.get("name", "")).lower(): str(each.get("value", "")) for each in given}
        try:
            body = base64.b64decode(str(item.get("body") or ""))
        except ValueError:  # binascii.Error is one
            body = b"not base64"
        return Request.of(str(item.get("method", "GET")).upper(), str(item.get("url", "")), {**inherited, **own}, body)

    def largest(self, batch: Request) -> int:
        """The most bytes of one answer: the property's, or a lower header's."""
        asked = batch.headers.get("x-batchrequest-max-output-size", "")
        return min(self.switches.batch_output, int(asked)) if _SIZE.fullmatch(asked) else self.switches.batch_output
