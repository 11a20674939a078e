"""What SIMs have used, by what nodes tell of it, whatever happens to node, clock and counter."""

from datetime import date, datetime, timedelta

import pytest

from protocol.messages import Telemetry
from server.domain.authority import Actor, Grant, Role
from server.domain.data_plans import DataPlan, DataUse
from server.domain.errors import NotAllowedError, UpkeepRefusedError
from server.services import data_plans
from server.services.known_words import known
from server.services.reports import take_in
from server.store.inserts import write_changes
from server.store.models import AuditRow, ClusterRow, DataMarkRow, EventRow
from tests.factories.claims import NOON
from tests.factories.units import OPERATOR

HERE, NODE = "xa-1-c1", "n-xa-1-c1"
DAY = timedelta(days=1)
TECHNICIAN = Actor("tho-dien", (Grant(Role.TECHNICIAN, "xa-1"),))
FOUR_GB = DataPlan(4000)


@pytest.fixture
def node(province):
    province.commission(HERE)
    told(province, 0.0, NOON)
    return NODE


def told(province, total_mb, now, *, node=NODE, at: datetime | None = None) -> None:
    province.hear(node, Telemetry(at=at or now, data_total_mb=total_mb), now=now)


def planned(province, plan=FOUR_GB, *, actor=TECHNICIAN, now=NOON) -> ClusterRow:
    return province.run(data_plans.set_plan, cluster_id=HERE, plan=plan, now=now, actor=actor)


def used(province, now) -> DataUse:
    return province.run(data_plans.uses, now=now)[HERE]


@pytest.mark.usefixtures("node")
def test_what_is_used_adds_up_from_day_to_day_and_begins_anew_with_the_month(province):
    planned(province)
    for days, total_mb in ((0, 10.0), (1, 30.0), (8, 3200.0)):
        told(province, total_mb, NOON + days * DAY)
    before = used(province, NOON + 8 * DAY)
    assert (before.used_mb, before.percent, before.first) == (3200.0, 80, date(2026, 11, 1))
    assert before.counted_from == date(2026, 11, 21)
    told(province, 3300.0, NOON + 10 * DAY)
    assert used(province, NOON + 10 * DAY).used_mb == 100.0
    # A month of which nothing has been told yet.
    later = used(province, NOON + 60 * DAY)
    assert (later.used_mb, later.counted_from, later.forecast_mb) == (0.0, None, None)


@pytest.mark.usefixtures("node")
def test_a_plan_that_is_entered_or_changed_late_knows_what_was_used_before(province):
    for days in range(10):
        told(province, 100.0 * (days + 1), NOON + days * DAY)
    now = NOON + 9 * DAY
    planned(province, now=now)
    assert used(province, now).used_mb == 1000.0
    planned(province, DataPlan(4000, 25), now=now)
    assert used(province, now).used_mb == 600.0
    planned(province, DataPlan(4000, 30), now=now)
    assert used(province, now).used_mb == 100.0


@pytest.mark.usefixtures("node")
def test_a_replaced_node_goes_on_where_the_old_one_was(province):
    planned(province)
    told(province, 500.0, NOON)
    province.commission(HERE, "n-new", now=NOON + DAY)
    # What the new machine used elsewhere before is not this cluster's.
    for hours, total_mb in ((1, 900.0), (2, 1000.0)):
        told(province, total_mb, NOON + DAY + timedelta(hours=hours), node="n-new")
    found = used(province, NOON + 2 * DAY)
    assert (found.used_mb, found.counted_from) == (600.0, date(2026, 11, 21))


@pytest.mark.usefixtures("node")
def test_a_counter_that_fell_takes_nothing_away_and_a_word_without_one_counts_nothing(province):
    planned(province)
    for minute, total_mb in enumerate((500.0, 0.5, 20.5, 20.5)):
        told(province, total_mb, NOON + timedelta(minutes=minute))
    assert used(province, NOON + DAY).used_mb == 520.0
    province.hear(NODE, Telemetry(at=NOON), now=NOON + DAY)
    told(province, 900.0, NOON + DAY)
    assert used(province, NOON + DAY).used_mb == 520.0


@pytest.mark.usefixtures("node")
def test_a_wrong_clock_of_a_node_moves_nothing_to_another_month(province):
    planned(province)
    for year, total_mb in ((2011, 100.0), (2039, 200.0), (2026, 300.0)):
        told(province, total_mb, NOON + DAY, at=NOON.replace(year=year))
    assert used(province, NOON + DAY).used_mb == 300.0


@pytest.mark.usefixtures("node")
def test_what_was_not_told_for_days_counts_when_it_is_told(province):
    planned(province)
    told(province, 700.0, NOON + 12 * DAY)
    found = used(province, NOON + 12 * DAY)
    assert (found.used_mb, found.counted_from) == (700.0, date(2026, 12, 3))


@pytest.mark.usefixtures("node")
def test_a_server_whose_clock_was_ahead_counts_on_when_it_is_set_right(province):
    planned(province)
    told(province, 100.0, NOON)
    told(province, 200.0, NOON + 400 * DAY)
    for days in (0, 1, 10):
        told(province, 300.0 + days, NOON + days * DAY)
    assert used(province, NOON + DAY).used_mb == 310.0
    assert used(province, NOON + 10 * DAY).used_mb == 9.0


def test_words_that_come_together_are_counted_as_those_that_come_alone(province):
    province.commission(HERE)
    planned(province)
    words = [(NODE, Telemetry(at=NOON, data_total_mb=total)) for total in (5.0, 15.0, 15.0, 45.0)]
    for some in (words[:2], words[2:]):
        with province.sessions.begin() as db:
            facts = known(db, some, now=NOON)
            for node_id, word in some:
                take_in(db, node_id, word, now=NOON, knowing=facts)
            write_changes(db)
    assert used(province, NOON).used_mb == 40.0
    assert len(province.rows(DataMarkRow)) == 1


def test_who_looks_after_a_cluster_says_what_its_plan_is_and_it_is_on_record(province):
    viewer = Actor("xem", (Grant(Role.VIEWER, "xa-1"),))
    elsewhere = Actor("khac", (Grant(Role.TECHNICIAN, "xa-2"),))
    for nobody in (viewer, elsewhere):
        with pytest.raises(NotAllowedError):
            planned(province, actor=nobody)
    for wrong in (DataPlan(0), DataPlan(4000, 32)):
        with pytest.raises(UpkeepRefusedError):
            planned(province, wrong)
    for plan in (FOUR_GB, FOUR_GB, DataPlan(None, 5)):
        planned(province, plan)
    deeds = province.rows(AuditRow, action="set-data-plan")
    assert [deed.detail for deed in deeds] == [
        {"monthly_mb": [None, 4000], "first_day": [1, 1]},
        {"monthly_mb": [4000, None], "first_day": [1, 5]},
    ]
    assert len(province.rows(EventRow, ref=HERE)) == 2
    assert province.run(data_plans.uses, now=NOON) == {}


@pytest.mark.usefixtures("node")
def test_marks_of_long_ago_are_forgotten_and_those_of_a_month_never(province):
    for days in (0, 30, 75):
        told(province, float(days), NOON + days * DAY)
    assert province.run(data_plans.forget, now=NOON + 75 * DAY) == 1
    assert sorted(row.data_mb for row in province.rows(DataMarkRow)) == [0.0, 30.0]


@pytest.mark.usefixtures("node")
def test_only_the_clusters_asked_for_are_told_of(province):
    planned(province, actor=OPERATOR)
    assert province.run(data_plans.uses, now=NOON, only=["xa-1-c2"]) == {}
    assert set(province.run(data_plans.uses, now=NOON, only=[HERE, "xa-1-c2"])) == {HERE}
