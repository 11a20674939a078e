"""The provinces that benchmarks are about are such as the server works with."""

from server.domain.recurrence import local_day
from server.services import planning, units
from tests.factories.claims import NOON
from tests.factories.countries import Size, enter_country


def test_every_unit_of_an_entered_country_publishes_its_plan(sessions, keyring):
    size = Size(communes=3, clusters=7, slots=120)
    with sessions.begin() as db:
        provinces = enter_country(db, size, provinces=2, keyring=keyring)
        assert [len(province.all_clusters) for province in provinces] == [7, 7]
        assert planning.publish_due_plans(db, now=NOON, keyring=keyring) == 2 * (1 + 3)
        assert planning.due_units(db, now=NOON, units=units.tree(db, today=local_day(NOON))) == []
