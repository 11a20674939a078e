"""Clusters out of a sheet: all of it or nothing, on both engines."""

from datetime import time, timedelta

import pytest
from sqlalchemy import event

from protocol.messages import Config
from server.domain.authority import Role
from server.domain.clashes import WideningRefusedError
from server.domain.cluster_sheets import Fault, SheetRefusedError
from server.domain.errors import NotAllowedError, UnknownThingError
from server.domain.units import NewUnit
from server.services import founding, framing, importing, units
from server.services.country import country
from server.store.models import (
    AuditRow,
    ClusterRow,
    ClusterUnitRow,
    GroupMemberRow,
    SheetDraftRow,
)
from tests.factories.claims import NOON, at
from tests.factories.sheets import a_row, a_sheet
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR, an_actor

ADMIN = an_actor(Role.ADMIN, "xa-1")


def new(name: str, **cells: str) -> list[str]:
    return a_row(**{"commune": "xa-1", "latitude": "", "longitude": "", "name": name, **cells})


def take_in(province, *rows: list[str], actor=OPERATOR, **facts: object):
    return province.run(
        importing.import_clusters,
        rows=a_sheet(*rows),
        file_name="cum-loa.xlsx",
        now=NOON,
        actor=actor,
        keyring=province.keyring,
        **facts,
    )


def test_new_clusters_stand_at_their_communes_from_today_on(province):
    take_in(province, new("Bản Cáp", people="615"), new("Chợ", commune="xa-2", cluster_id="cho"))
    tree = province.run(units.tree, today=TODAY)
    assert (tree.clusters["xa-1-ban-cap"], tree.clusters["cho"]) == ("xa-1", "xa-2")
    assert "cho" not in province.run(units.tree, today=TODAY - timedelta(days=1)).clusters
    (row,) = province.rows(ClusterRow, cluster_id="xa-1-ban-cap")
    assert (row.name, row.village, row.people) == ("Bản Cáp", "Bản Cáp", 615)
    (deed,) = province.rows(AuditRow, action="import-clusters")
    assert deed.subject == "cum-loa.xlsx"
    assert deed.detail["new"] == {"xa-1-ban-cap": "xa-1", "cho": "xa-2"}


def test_a_change_is_made_and_written_down_and_its_place_stays(province):
    take_in(province, new("Tên mới", cluster_id="xa-1-c1", village="Thôn Đoài", people="120"))
    (row,) = province.rows(ClusterRow, cluster_id="xa-1-c1")
    assert (row.name, row.people) == ("Tên mới", 120)
    assert len(province.rows(ClusterUnitRow, cluster_id="xa-1-c1")) == 1
    (deed,) = province.rows(AuditRow, action="import-clusters")
    assert deed.detail["changed"]["xa-1-c1"]["people"] == [100, 120]


def test_the_same_sheet_again_does_nothing(province):
    rows = [new("Bản Cáp"), new("Chợ", people="5")]
    take_in(province, *rows)
    again = take_in(province, *rows)
    assert (again.new, again.changed, again.same) == ((), (), 2)
    assert len(province.rows(AuditRow, action="import-clusters")) == 1


def test_with_one_wrong_row_nothing_is_taken_in(province):
    before = len(province.rows(ClusterRow))
    with pytest.raises(SheetRefusedError) as refused:
        take_in(province, new("Bản Cáp"), new("Chợ", people="năm"))
    assert [kind.shown[0].code for kind in refused.value.faults] == [Fault.NOT_A_NUMBER]
    assert len(province.rows(ClusterRow)) == before


def test_an_error_in_the_middle_undoes_what_was_written(province):
    engine = province.sessions.kw["bind"]

    def fail(_connection, _cursor, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT INTO cluster_units"):
            raise ConnectionAbortedError

    before = {row.cluster_id: row.name for row in province.rows(ClusterRow)}
    event.listen(engine, "before_cursor_execute", fail)
    with pytest.raises(ConnectionAbortedError):
        take_in(province, new("Tên mới", cluster_id="xa-1-c1"), new("Bản Cáp"))
    event.remove(engine, "before_cursor_execute", fail)
    assert {row.cluster_id: row.name for row in province.rows(ClusterRow)} == before
    assert not province.rows(AuditRow, action="import-clusters")


def test_looking_changes_nothing(province):
    verdict = province.run(
        importing.examine, rows=a_sheet(new("Bản Cáp")), now=NOON, actor=OPERATOR
    )
    assert len(verdict.new) == 1
    assert not province.rows(ClusterRow, name="Bản Cáp")


def test_an_administrator_enters_clusters_at_home_and_nowhere_else(province):
    take_in(province, new("Bản Cáp"), actor=ADMIN)
    with pytest.raises(SheetRefusedError) as refused:
        take_in(province, new("Chợ", commune="xa-2"), actor=ADMIN)
    assert [kind.shown[0].code for kind in refused.value.faults] == [Fault.NOT_YOURS]
    with pytest.raises(SheetRefusedError) as stolen:
        take_in(province, new("Chợ", cluster_id="xa-2-c1"), actor=ADMIN)
    assert [kind.shown[0].code for kind in stolen.value.faults] == [Fault.MOVED]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_nobody_else_even_looks(province, role: Role):
    facts = {"now": NOON, "actor": an_actor(role)}
    with pytest.raises(NotAllowedError):
        province.run(importing.examine, rows=a_sheet(new("Bản Cáp")), **facts)
    with pytest.raises(NotAllowedError):
        province.run(importing.communes, **facts)


def test_a_node_is_told_when_its_place_has_changed(province):
    for cluster in ("xa-1-c1", "xa-1-c2"):
        province.commission(cluster, audio_urls=("https://loa.example/a",))
    told = len(province.posted("/in/config"))
    rows = [
        new("Cụm xa-1-c1", cluster_id="xa-1-c1", latitude="22.8", longitude="105"),
        new("Tên mới", cluster_id="xa-1-c2"),
    ]
    take_in(province, *rows, audio_urls=("https://loa.example/b",))
    (config,) = [token.msg for token in province.said("/in/config")[told:]]
    assert isinstance(config, Config)
    assert (config.cluster, config.latitude, config.audio) == (
        "xa-1-c1",
        22.8,
        ("https://loa.example/b",),
    )


def test_new_clusters_join_the_groups_of_their_former_districts(province):
    facts = {"now": NOON, "actor": OPERATOR, "keyring": province.keyring}
    province.run(
        founding.found_province,
        country=country(),
        province="12",
        former_districts=True,
        **facts,
    )
    commune = country().communes_of(country().province("12"))[0]
    row = a_row(cluster_id="c-9", commune=commune.code, latitude="22.3", longitude="103.2")
    take_in(province, row)
    district = country().district_of(commune.code)
    (member,) = province.rows(GroupMemberRow, cluster_id="c-9")
    assert member.group_id == district.group_id(country().province("12"))


def test_a_kept_sheet_is_taken_in_once_by_whoever_sent_it(province):
    raw = "\n".join("\t".join(row) for row in a_sheet(new("Bản Cáp"))).encode()
    mine = {"actor": ADMIN, "keyring": province.keyring}
    draft = province.run(
        importing.keep_draft, content=raw, file_name="x.csv", now=NOON, actor=ADMIN
    )
    other = an_actor(Role.ADMIN, "tinh")
    with pytest.raises(UnknownThingError):
        province.run(
            importing.import_draft,
            draft_id=draft,
            now=NOON,
            actor=other,
            keyring=province.keyring,
        )
    assert len(province.run(importing.import_draft, draft_id=draft, now=NOON, **mine).new) == 1
    with pytest.raises(UnknownThingError):
        province.run(importing.import_draft, draft_id=draft, now=NOON, **mine)


def test_a_kept_sheet_does_not_stay_for_ever(province):
    keep = {"content": b"x", "file_name": "x.csv", "actor": ADMIN}
    draft = province.run(importing.keep_draft, now=NOON, **keep)
    late = at(6 * 60 + 1)
    with pytest.raises(UnknownThingError):
        province.run(
            importing.import_draft,
            draft_id=draft,
            now=late,
            actor=ADMIN,
            keyring=province.keyring,
        )
    province.run(importing.keep_draft, now=late, **keep)
    assert len(province.rows(SheetDraftRow)) == 1


def test_a_node_is_told_of_the_languages_spoken_at_its_cluster(province):
    province.commission("xa-1-c1")
    take_in(province, new("Cụm xa-1-c1", cluster_id="xa-1-c1", languages="Mông, vi"))
    assert province.said("/in/config")[-1].msg.languages == ("hmn", "vi")
    assert province.rows(ClusterRow, cluster_id="xa-1-c1")[0].languages == ["hmn", "vi"]


def test_a_language_that_brings_two_slots_together_is_refused_and_nothing_is_taken_in(province):
    speaks = [new("Cụm xa-1-c1", cluster_id="xa-1-c1", languages="vi")]
    take_in(province, *speaks)
    there = province.add_slot(languages=("vi",))
    with province.sessions.begin() as db:
        db.get_one(ClusterRow, "xa-1-c2").languages = ["hmn"]
    province.add_slot(languages=("hmn",))
    with pytest.raises(WideningRefusedError) as refused:
        take_in(province, new("Cụm xa-1-c1", cluster_id="xa-1-c1", languages="vi, hmn"))
    assert [one.other.slot_id for one in refused.value.clashes] == [there.slot_id]
    assert province.rows(ClusterRow, cluster_id="xa-1-c1")[0].languages == ["vi"]


def a_commune_without_clusters(province, unit_id: str = "xa-9") -> None:
    facts = {"now": NOON, "actor": OPERATOR, "keyring": province.keyring}
    province.run(units.create_unit, new=NewUnit(unit_id, "Xã Mới", 1, "tinh"), **facts)


def test_slots_that_first_meet_at_a_new_cluster_keep_the_sheet_out(province):
    a_commune_without_clusters(province)
    province.add_slot(unit_id="tinh", units=("tinh",), exclude=("xa-1-c1", "xa-1-c2"))
    own = province.add_slot(unit_id="xa-1", units=("xa-1",))
    with pytest.raises(WideningRefusedError) as refused:
        take_in(province, new("Bản Cáp"))
    assert [one.other.slot_id for one in refused.value.clashes] == [own.slot_id]
    assert not refused.value.offers
    assert not take_in(province, new("Bản Cáp", commune="xa-9")).clashes


def test_slots_of_a_unit_that_had_no_clusters_are_judged_when_it_gets_some(province):
    a_commune_without_clusters(province)
    province.add_slot(unit_id="tinh", units=("xa-1", "xa-9"))
    province.add_slot(unit_id="tinh", units=("xa-2", "xa-9"))
    with pytest.raises(WideningRefusedError) as refused:
        take_in(province, new("Bản Cáp", commune="xa-9"))
    assert next(finding.code for finding in refused.value.findings) == "wider-clashes"
    assert not take_in(province, new("Bản Cáp")).clashes


def test_a_sheet_that_brings_a_programme_into_quiet_hours_is_kept_out(province):
    a_commune_without_clusters(province)
    facts = {"now": NOON, "actor": OPERATOR, "keyring": province.keyring}
    quiet = framing.NewFrame("xa-9", "quiet", time(22), time(6))
    province.run(framing.add_frame, new=quiet, **facts)
    province.add_slot(unit_id="tinh", units=("tinh",), title="Thời sự")
    province.add_slot(unit_id="tinh", units=("tinh",), local_start=time(6), title="Sáng")
    row = new("Bản Cáp", commune="xa-9")
    told = province.run(importing.examine, rows=a_sheet(row), now=NOON, actor=OPERATOR)
    with pytest.raises(WideningRefusedError) as refused:
        take_in(province, row)
    assert told.clashes == refused.value.findings
    (finding,) = told.clashes
    assert finding.fields["slots"].endswith("Thời sự (Tỉnh)")
    assert finding.fields["hours"] == "22:00-06:00 (Xã Mới)"
    assert not province.rows(ClusterRow, name="Bản Cáp")
    # Who has been heard in quiet hours, because somebody has confirmed that, goes on to be.
    confirmed = framing.NewFrame("xa-1", "quiet", time(22), time(6))
    province.run(framing.add_frame, new=confirmed, confirmed=True, **facts)
    assert not take_in(province, new("Bản Cáp")).clashes


def test_what_widening_would_refuse_is_foretold_and_nothing_is_changed(province):
    with province.sessions.begin() as db:
        db.get_one(ClusterRow, "xa-1-c1").languages = ["vi"]
        db.get_one(ClusterRow, "xa-1-c2").languages = ["hmn"]
    province.add_slot(languages=("vi",))
    province.add_slot(languages=("hmn",))
    rows = [new("Cụm xa-1-c1", cluster_id="xa-1-c1", languages="vi, hmn")]
    facts = {"rows": a_sheet(*rows), "now": NOON, "actor": OPERATOR}
    told = province.run(importing.examine, **facts)
    with pytest.raises(WideningRefusedError) as refused:
        take_in(province, *rows)
    assert told.clashes == refused.value.findings
    assert province.rows(ClusterRow, cluster_id="xa-1-c1")[0].languages == ["vi"]
    apart = a_sheet(new("Cụm xa-1-c1", cluster_id="xa-1-c1", languages="hmn"))
    assert not province.run(importing.examine, **{**facts, "rows": apart}).clashes


def test_the_tree_that_is_foreseen_is_the_one_that_is_read_back(province):
    facts = {"now": NOON, "actor": OPERATOR, "keyring": province.keyring}
    province.run(
        founding.found_province, country=country(), province="12", former_districts=True, **facts
    )
    commune = country().communes_of(country().province("12"))[0]
    rows = a_sheet(
        a_row(cluster_id="c-9", commune=commune.code, latitude="22.3", longitude="103.2"),
        new("Cụm xa-1-c1", cluster_id="xa-1-c1", languages="hmn"),
    )
    verdict = province.run(importing.examine, rows=rows, now=NOON, actor=OPERATOR)
    grown = province.run(lambda db: importing._grown(db, units.tree(db, today=TODAY), verdict))
    take_in(province, *rows[1:])
    assert province.run(units.tree, today=TODAY) == grown


def test_a_sheet_says_what_the_sims_of_clusters_may_use(province):
    plan = {"data_plan_mb": "1,5 GB", "data_plan_day": "15"}
    take_in(province, new("Cụm xa-1-c1", cluster_id="xa-1-c1", **plan), new("Chợ", **plan))
    rows = [row for row in province.rows(ClusterRow) if row.data_plan_mb is not None]
    assert [(row.data_plan_mb, row.data_plan_day) for row in rows] == [(1500, 15)] * 2
