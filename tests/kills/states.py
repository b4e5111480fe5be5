"""Where a run keeps its state."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa


@contextmanager
def a_state(folder: Path, postgres: str = "") -> Iterator[str]:
    """The address of a new state: a file in the folder, or on PostgreSQL a schema that goes with the run."""
    if not postgres:
        yield f"sqlite:///{folder}/lockstep.db"
        return
    schema = f"lockstep_{uuid.uuid4().hex[:12]}"
    engine = sa.create_engine(postgres)
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    try:
        url = sa.make_url(postgres).update_query_dict({"options": f"-csearch_path={schema}"})
        yield url.render_as_string(hide_password=False)
    finally:
        with engine.begin() as connection:
            connection.execute(sa.schema.DropSchema(schema, cascade=True))
        engine.dispose()
