"""What every table of the file is made of: keys with their line of why, secrets, opening hours."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from sync.config.values import Wrong


def says(text: str, default: Any = ..., **more: Any) -> Any:
    """A key with its one line of why, which editors show."""
    return Field(default, description=text, **more)


class Table(BaseModel):
    """A table of the file: unknown keys are refused, values are taken as they are written."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


class SidesToo(Table):
    """A table whose other keys are the names of sides."""

    model_config = ConfigDict(extra="allow")


class SecretRef(Table):
    """Where a secret is: an environment variable or a file, never the secret itself."""

    env: str = says("The environment variable that holds it.", "")
    file: str = says("The file that holds it.", "")

    @model_validator(mode="before")
    @classmethod
    def once(cls, value: object) -> object:
        if isinstance(value, str):
            what = "a secret does not belong in this file"
            raise Wrong(what, 'put it into an environment variable and write { env = "NAME" }, or { file = "/path" }')
        if isinstance(value, dict) and not set(value) - {"env", "file"} and len(value) != 1:
            raise Wrong("must say where the secret is, once", 'write { env = "NAME" } or { file = "/path" }')
        return value


def one_or_many(value: object) -> object:
    return value if isinstance(value, list) else [value]


Secrets = Annotated[list[SecretRef], BeforeValidator(one_or_many), Field(min_length=1)]


class Source(SecretRef):
    """A text written out, or kept with the secrets where it holds a password."""

    plain: str = says("The text itself.", "")

    @model_validator(mode="before")
    @classmethod
    def once(cls, value: object) -> object:
        if isinstance(value, dict) and not set(value) - {"env", "file"} and len(value) != 1:
            raise Wrong("must be a text, or say where it is, once", 'write { env = "NAME" } or { file = "/path" }')
        return {"plain": value} if isinstance(value, str) else value


class Opening(Table):
    """When people are at work."""

    days: str = says("The days of the week.", "Mon-Fri")
    hours: str = says("The hours of a day.", "08:00-17:00")
    holidays: str = says("A country, or a country and a region, whose holidays are free.", "")
