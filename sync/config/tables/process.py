"""Stages, routes and fields: what things mean and who opens what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

from sync.config.tables.base import SidesToo, Table, says
from sync.config.values import Alternatives, AnyNative, Business, Day, OneNative, Texts, Value


class NeedTable(Table):
    """What must be there before a stage is entered; a text alone is the name of a field."""

    field: str = says("A declared field that must be filled in.", "")
    when: str | None = says("A condition that must hold.", None)
    ask: str = says("What the person who must see to it is asked, in the ticket.", "")


def named(value: object) -> object:
    return {"field": value} if isinstance(value, str) else value


class StageTable(SidesToo):
    """Where the work stands. Every other key is a side and the states that count as this stage, the first written."""

    name: str = says("Its name.", min_length=1)
    id: str = says("Never changes, so that the name may; without it the name stands for it.", "")
    move: str = says("The party whose move it is.", "")
    decided_by: str = says("The side whose word moves the work on.", "")
    target: Business | None = says("How long it may take, in business time.", None)
    paused: bool = says("The clocks stand still.", False)
    terminal: bool = says("The work is done.", False)
    removed: bool = says("Taken out of the work, not done: of several items it counts only where all are.", False)
    needs: list[Annotated[NeedTable, BeforeValidator(named, json_schema_input_type=str | NeedTable)]] = says(
        "Fields that must be filled in, and conditions that must hold, before the stage is entered.", []
    )
    gate: Literal["back", "hold"] = says("A move without them is put back, or held until they are there.", "back")
    set: dict[str, dict[str, OneNative]] = says("Native fields that go with entering it, by side.", {})
    __pydantic_extra__: dict[str, Texts]


class JoinTable(Table):
    """What joins the link of an item that it belongs to, instead of opening one of its own."""

    parent: bool = says("An item whose parent is in a link joins it.", True)
    problem: bool = says("An item whose problem is in a link joins it.", True)
    mention: Literal["propose", "join", "none"] = says("One that only mentions a linked item.", "propose")
    in_: list[str] = says("The fields in which a mention counts.", [], alias="in")


class TasksTable(Table):
    """Tasks below each item that a route opens."""

    side: str = says("The side of the tasks, which stands under the one that is opened.")
    titles: Texts = says("A title for each of them.")


class RouteTable(Table):
    """Who opens what."""

    id: str = says("Never changes; names may.", min_length=1, max_length=60)
    from_: str = says("The side that opens.", alias="from")
    open: str = says("The side that is opened.", "")
    follow: bool = says("Instead of open: the item gets a link of its own, and nothing is opened.", False)
    when: str | None = says("The condition; without one: always.", None)
    since: Day | None = says("Older items are left alone; without it: those from before the first start.", None)
    history: Literal["none", "all"] = says("Whether comments older than the link are carried.", "none")
    match: list[str] = says("Fields that find a counterpart made by hand, tried in order before one is opened.", [])
    join: JoinTable = says("What joins a link instead of opening one.", JoinTable.model_validate({}))
    reopen: bool = says("A follower that its people open again, or a new one that names closed work, opens it.", False)
    by: Literal["rule"] | None = says('"rule": it opens where a rule says so, and in no other way.', None)
    create: dict[str, AnyNative] = says("Native fields of what it opens, over those of the side.", {})
    tasks: TasksTable | None = says("Tasks that come below what it opens.", None)
    relate: str | None = says('The field of what opens that names what was opened; "": none.', None)


class ValueRow(SidesToo):
    """One value: what it is, and how each side spells it."""

    is_: Value = says("The value in common words.", alias="is")
    __pydantic_extra__: dict[str, Alternatives]


class FieldTable(SidesToo):
    """A field. Every other key is a side and what the field is called there."""

    type: Literal["text", "integer", "number", "boolean", "list", "date"] = says("What its values are.", "text")
    owner: str = says("The side whose word counts when several changed it.", "")
    label: str = says("What people see in place of its name, where they are asked for it.", "")
    exclusive: bool = says("Nobody but the owner may change it.", False)
    prefer: list[str] = says("The order of sides where there is no owner.", [])
    values: list[ValueRow] = says("How each side spells the values.", [])
    from_: str = says("A field or a side that Lockstep counts it from, over all items of the link.", "", alias="from")
    __pydantic_extra__: dict[str, Texts]
