"""The table of docs/sandbox.md leads where it says: to sources that exist and to tests that exist."""

from __future__ import annotations

import pytest

from tests.fidelity import specs, table

shared_wanted = pytest.mark.skipif(not specs.available(), reason="wants ../shared")


def test_every_tracker_has_its_table() -> None:
    assert len(table.rows()) > 500


def test_no_behaviour_stands_twice() -> None:
    behaviours = [row.behaviour for row in table.rows()]
    assert sorted({one for one in behaviours if behaviours.count(one) > 1}) == []


def test_every_row_names_a_test_that_exists() -> None:
    missing = {row.behaviour: lost for row in table.rows() if (lost := table.missing_tests(row))}
    assert missing == {}


@pytest.mark.shared
@shared_wanted
def test_every_row_names_a_source_that_exists() -> None:
    unknown = {row.behaviour: lost for row in table.rows() if (lost := list(table.unknown_sources(row)))}
    assert unknown == {}


def test_every_switch_in_the_table_is_one() -> None:
    missing = {row.behaviour: lost for row in table.rows() if (lost := table.missing_switches(row))}
    assert missing == {}
