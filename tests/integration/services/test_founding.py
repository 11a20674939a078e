"""A real province, entered whole, on both engines."""

from datetime import date, timedelta

import pytest
from sqlalchemy import event

from server.domain.authority import Role
from server.domain.errors import NotAllowedError, UnknownThingError
from server.services import founding, units
from server.services.country import country
from server.store.models import AuditRow, GroupMemberRow, GroupRow, LevelRow, UnitKeyRow, UnitRow
from tests.factories.claims import NOON
from tests.factories.units import OPERATOR, a_cluster, an_actor

REFORM = date(2025, 7, 1)
# The smallest province, so that many keys need not be made.
PROVINCE = {"country": country(), "province": "Lai Châu"}


def enter(into, **facts: object) -> founding.Founding:
    keyed = {"now": NOON, "actor": OPERATOR, "keyring": into.keyring}
    return into.run(founding.found_province, **{**PROVINCE, **keyed, **facts})


def test_a_province_comes_with_its_communes_their_codes_places_and_keys(province):
    entered = enter(province)
    tree = province.run(units.tree, today=REFORM)
    wanted = country().communes_of(entered.province)
    assert set(tree.units) == {"vn-12", *(one.unit_id for one in wanted)}
    assert set(tree.children("vn-12")) == {one.unit_id for one in wanted}
    assert not province.run(units.tree, today=REFORM - timedelta(days=1)).units
    for place in wanted:
        (row,) = province.rows(UnitRow, unit_id=place.unit_id)
        assert (row.name, row.code, row.level_rank) == (place.name, place.code, 1)
        assert (row.latitude, row.longitude) == (place.latitude, place.longitude)
    keys = [row for row in province.rows(UnitKeyRow) if row.unit_id.startswith("vn-12")]
    assert len(keys) == len(wanted) + 1
    assert [row.unit_id for row in keys if row.configures] == ["vn-12"]


def test_entering_again_changes_nothing_and_says_so(province):
    first, again = enter(province, former_districts=True), enter(province, former_districts=True)
    assert (again.new, again.groups, again.there) == ((), (), len(first.new))
    assert len(province.rows(AuditRow, action="import-province")) == 1


def test_what_was_missing_is_added(province):
    top, first = country().province("12"), country().communes_of(country().province("12"))[0]
    for place, rank, parent in ((top, 0, None), (first, 1, top.unit_id)):
        new = units.NewUnit(place.unit_id, "Tên riêng", rank, parent)
        province.run(units.create_unit, new=new, now=NOON, actor=OPERATOR, keyring=province.keyring)
    entered = enter(province)
    assert entered.there == 2
    (row,) = province.rows(UnitRow, unit_id=first.unit_id)
    assert row.name == "Tên riêng"


def test_names_of_levels_that_were_chosen_stay(province):
    province.run(units.create_level, rank=1, name_vi="Xã, phường", name_en="Ward")
    enter(province)
    assert [row.name_vi for row in province.rows(LevelRow, rank=1)] == ["Xã, phường"]


def test_a_dry_run_tells_the_same_and_adds_nothing(province):
    planned = province.run(founding.planned, **PROVINCE, former_districts=True)
    assert not province.rows(UnitRow, unit_id="vn-12")
    assert enter(province, former_districts=True) == planned


def test_former_districts_are_groups_of_the_clusters_of_their_communes(province):
    entered = enter(province)
    communes = country().communes_of(entered.province)
    for number, commune in enumerate((communes[0], communes[-1])):
        new = a_cluster(f"c-{number}", commune.unit_id)
        province.run(units.create_cluster, new=new, now=NOON, actor=OPERATOR)
    groups = enter(province, former_districts=True).groups
    assert len(groups) == len(country().districts_of(entered.province)) == 8
    members = {row.cluster_id: row.group_id for row in province.rows(GroupMemberRow)}
    for number, commune in enumerate((communes[0], communes[-1])):
        district = country().district_of(commune.code)
        assert district is not None
        assert members[f"c-{number}"] == district.group_id(entered.province)
        (group,) = province.rows(GroupRow, group_id=members[f"c-{number}"])
        assert (group.name, group.unit_id) == (f"{district.name} (cũ)", "vn-12")


def test_only_who_may_do_everything_enters_a_province(province):
    with pytest.raises(NotAllowedError):
        enter(province, actor=an_actor(Role.ADMIN, "tinh"))
    assert not province.rows(UnitRow, unit_id="vn-12")


def test_a_province_that_is_none_is_not_entered(province):
    with pytest.raises(UnknownThingError):
        enter(province, province="Hà Giang")


def test_an_error_on_the_way_undoes_all_of_it(province):
    engine = province.sessions.kw["bind"]

    def fail(_connection, _cursor, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT INTO groups"):
            raise ConnectionAbortedError

    event.listen(engine, "before_cursor_execute", fail)
    with pytest.raises(ConnectionAbortedError):
        enter(province, former_districts=True)
    event.remove(engine, "before_cursor_execute", fail)
    assert not province.rows(UnitRow, unit_id="vn-12")
    assert not province.rows(AuditRow, action="import-province")
