from datetime import date, time

import pytest

from server.web.fields import parsed_day, parsed_time
from server.web.targets import picked


@pytest.mark.parametrize("text", ["02/09/2026", "2/9/2026", "2026-09-02", " 02-09-2026 "])
def test_days_are_read_as_vietnamese_write_them(text):
    assert parsed_day(text) == date(2026, 9, 2)


@pytest.mark.parametrize(
    "text", ["", "31/02/2026", "09/22/2026", "mai", "31/12/9999", "0001-01-01"]
)
def test_what_is_no_day_is_none(text):
    assert parsed_day(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("05:30", time(5, 30)), ("5:30", time(5, 30)), ("05:30:15", time(5, 30, 15)),
     ("5h30", time(5, 30)), ("5g30", time(5, 30))],
)  # fmt: skip
def test_times_are_read_with_or_without_seconds(text, expected):
    assert parsed_time(text) == expected


@pytest.mark.parametrize("text", ["", "25:00", "sáng"])
def test_what_is_no_time_is_none(text):
    assert parsed_time(text) is None


def test_a_village_of_several_clusters_is_picked_whole_and_each_cluster_once():
    found = picked(["xa-1", "xa-1"], ["c-1,c-2", "c-2"])
    assert found.units == ("xa-1",)
    assert found.clusters == ("c-1", "c-2")
