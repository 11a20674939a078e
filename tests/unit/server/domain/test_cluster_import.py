"""What a sheet of clusters would do, and which rows are wrong."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.ids import checked_id
from server.domain.cluster_import import ClusterFacts, Verdict, examined
from server.domain.cluster_rows import AT_ONCE
from server.domain.cluster_sheets import (
    HEADINGS,
    MOST_FAULTS,
    MOST_ROWS,
    SHOWN_OF_A_KIND,
    Column,
    Fault,
)
from server.http.wording import FINDINGS
from tests.factories.sheets import HEAD, a_ground, a_row, a_sheet, cells, good_rows

CAP = ClusterFacts("c-1", "vn-08-00928", "Bản Cáp", "Bản Cáp", 22.8, 105.0, 615, "Bà Lan", "0912")
MADE = "vn-08-00928-ban-cap"
CHO = ClusterFacts("c-2", "vn-08-00928", "Chợ", "Nà Thác")


def judged(*rows: list[str], there: tuple[ClusterFacts, ...] = ()) -> Verdict:
    return examined(a_sheet(*rows), a_ground(*there))


def found(verdict: Verdict) -> list[tuple[str, str]]:
    """The faults, as code and row."""
    return [
        (finding.code, finding.fields["row"]) for kind in verdict.faults for finding in kind.shown
    ]


def test_a_row_becomes_a_cluster_with_all_that_it_says():
    row = a_row(
        cluster_id="ban-cap",
        village="Nà Thác",
        people="615",
        contact_name="Bà Lan",
        contact_phone="1",
    )
    (new,) = judged(row).new
    expected = ClusterFacts(
        "ban-cap", "vn-08-00928", "Bản Cáp", "Nà Thác", 22.8, 105.0, 615, "Bà Lan", "1"
    )
    assert new == expected


def test_zeros_that_a_spreadsheet_took_off_are_put_back():
    (new,) = judged(a_row(commune="928", contact_phone="912345678")).new
    assert (new.unit_id, new.contact_phone) == ("vn-08-00928", "0912345678")


def test_a_cluster_without_an_id_gets_one_made_of_commune_and_names():
    verdict = judged(a_row(), a_row(name="Cổng chào", village="Đồng Tâm"), a_row(name="村"))
    assert [one.cluster_id for one in verdict.new] == [
        "vn-08-00928-ban-cap",
        "vn-08-00928-dong-tam-cong-chao",
        "vn-08-00928-cum",
    ]


def test_a_made_id_is_never_that_of_another_cluster():
    renamed = ClusterFacts("vn-08-00928-ban-cap", "vn-08-00928", "Tên mới", "Tên mới")
    verdict = judged(a_row(), there=(renamed,))
    assert [one.cluster_id for one in verdict.new] == ["vn-08-00928-ban-cap-2"]
    assert not verdict.changed


@pytest.mark.slow
def test_names_that_begin_alike_get_numbered_ids_in_time_that_grows_with_the_rows():
    rows = [a_row(name=f"{'Cụm loa ' * 12}{number}") for number in range(10_000)]
    ids = [one.cluster_id for one in judged(*rows).new]
    assert len(set(ids)) == len(rows)
    assert ids[1] == f"{ids[0]}-2"
    assert max(map(len, ids)) <= 64


def test_headings_are_known_in_any_order_and_spelling_and_others_are_passed_over():
    rows = [["", ""], ["GHI CHU", "ma  xa", "Tên cụm *"], ["x", "00928", "Chợ"]]
    verdict = examined(rows, a_ground())
    assert [one.name for one in verdict.new] == ["Chợ"]
    assert verdict.passed_over == ("GHI CHU",)


def test_the_templates_example_and_empty_rows_are_passed_over():
    verdict = judged(a_row(cluster_id="vi-du", commune="nowhere"), [""] * 9, [])
    assert verdict == Verdict((), (), 0, ())


def test_the_same_again_changes_nothing():
    said = a_row(cluster_id="c-1", village="Bản Cáp", people="615", contact_name="Bà Lan")
    verdict = judged(said, there=(CAP,))
    assert (verdict.new, verdict.changed, verdict.same) == ((), (), 1)
    assert judged(a_row(), there=(CAP,)).same == 1  # known by its name


def test_a_change_names_what_changes_and_empty_cells_take_nothing_away():
    verdict = judged(a_row(cluster_id="c-1", name="Bản Cáp 1", people="620"), there=(CAP,))
    (change,) = verdict.changed
    assert change.columns == (Column.NAME, Column.PEOPLE)
    assert (change.after.people, change.after.contact_name) == (620, "Bà Lan")


@pytest.mark.parametrize(
    ("cells_", "fault"),
    [
        ({"name": ""}, Fault.CELL_EMPTY),
        ({"commune": " "}, Fault.CELL_EMPTY),
        ({"name": "x" * 201}, Fault.CELL_TOO_LONG),
        ({"contact_phone": "0" * 33}, Fault.CELL_TOO_LONG),
        ({"village": "Bản\x00Cáp"}, Fault.CELL_UNREADABLE),
        ({"cluster_id": "Bản Cáp"}, Fault.BAD_ID),
        ({"people": "-1"}, Fault.NOT_A_NUMBER),
        ({"people": "1.234"}, Fault.NOT_A_NUMBER),
        ({"people": "123456789"}, Fault.NOT_A_NUMBER),
        ({"latitude": "22°48"}, Fault.NOT_A_NUMBER),
        ({"longitude": "nan"}, Fault.NOT_A_NUMBER),
        ({"latitude": ""}, Fault.HALF_A_PLACE),
        ({"latitude": "105.0", "longitude": "22.8"}, Fault.FAR_AWAY),
        ({"latitude": "24.01"}, Fault.FAR_AWAY),
        ({"commune": "99999"}, Fault.UNKNOWN_COMMUNE),
        ({"commune": "4"}, Fault.NOT_YOURS),
    ],
)
def test_what_is_wrong_with_a_row_is_named(cells_: dict[str, str], fault: Fault):
    verdict = judged(a_row(name="Tốt"), a_row(**cells_))
    assert found(verdict) == [(fault.value, "3")]


def test_all_faults_of_a_row_are_named_at_once():
    verdict = judged(a_row(people="ba", cluster_id="Ä", latitude="x"))
    codes = {code for code, _ in found(verdict)}
    assert codes == {Fault.NOT_A_NUMBER, Fault.BAD_ID}
    assert verdict.fault_count == 3


def test_a_point_one_degree_outside_the_communes_is_still_inside():
    assert not judged(a_row(latitude="24.0", longitude="106.5")).faults
    assert judged(a_row(latitude="21.0", longitude="103.49")).faults


def test_a_cluster_that_is_there_does_not_change_its_commune_here():
    assert found(judged(a_row(cluster_id="c-1", commune="00913"), there=(CAP,))) == [
        (Fault.MOVED, "2")
    ]


def test_no_two_rows_are_of_one_id_or_of_one_name_in_a_village():
    twice = judged(a_row(cluster_id="c-9"), a_row(cluster_id="c-9", name="Chợ"))
    assert found(twice) == [(Fault.ID_TWICE, "3")]
    assert found(judged(a_row(), a_row(name="BAN CAP"))) == [(Fault.NAME_TWICE, "3")]
    taken = judged(a_row(cluster_id="c-9", name="chợ", village="Nà Thác"), there=(CHO,))
    assert found(taken) == [(Fault.NAME_TWICE, "2")]
    assert not judged(a_row(name="Chợ", village="Đồng Tâm"), there=(CHO,)).faults
    assert not judged(a_row(), a_row(commune="00913")).faults


def test_a_missing_column_is_named_by_its_heading():
    verdict = examined([["Mã cụm", "Tên cụm"], ["c-1", "Chợ"]], a_ground())
    (finding,) = verdict.faults[0].shown
    assert (finding.code, finding.fields["column"]) == (Fault.NO_COLUMN, "Mã xã")


def test_a_column_that_is_there_twice_is_named():
    assert found(examined([[*HEAD, "Vĩ độ"]], a_ground())) == [(Fault.COLUMN_TWICE, "1")]


def test_an_empty_sheet_is_refused():
    assert found(examined([[], ["", ""]], a_ground())) == [(Fault.EMPTY, "0")]


def test_a_sheet_that_is_too_long_is_refused_unread():
    rows = [a_row(commune="99999")] * (MOST_ROWS + 1)
    assert [kind.shown[0].code for kind in judged(*rows).faults] == [Fault.TOO_LONG]


def test_of_many_faults_of_a_kind_the_first_are_shown_and_all_are_counted():
    (kind,) = judged(*[a_row(commune="99999")] * 500).faults
    assert (kind.count, len(kind.shown), kind.not_shown) == (500, SHOWN_OF_A_KIND, 480)


def test_after_thousands_of_faults_of_any_kind_nothing_more_is_read():
    for wrong in ({"people": "x"}, {"commune": "99999"}):
        read = iter([[HEAD], [a_row(**wrong)] * MOST_FAULTS, [a_row()] * 5])
        verdict = examined([row for some in read for row in some], a_ground())
        kind, stop = verdict.faults
        assert (kind.count, verdict.fault_count) == (MOST_FAULTS, MOST_FAULTS)
        assert stop.shown[0].code == Fault.MORE_UNREAD
        assert stop.shown[0].fields["row"] == str(MOST_FAULTS + 2)
        assert (verdict.new, verdict.changed, verdict.same) == ((), (), 0)


def test_in_words_it_is_told_how_many_more_there_are_and_in_which_rows():
    wrong, right = a_row(people="x"), a_row(name="Tốt")
    (kind,) = judged(*[wrong] * 23, right, wrong, a_row(people="x", latitude="x")).faults
    assert len(kind.told) == SHOWN_OF_A_KIND + 1
    more = kind.told[-1]
    assert (more.code, more.fields["count"]) == ("more-rows", "6")
    assert more.fields["rows"] == "22–24, 26–27"


def test_every_fault_has_its_sentence():
    assert {fault.value for fault in Fault} <= set(FINDINGS)


def test_every_column_has_a_heading_of_its_own():
    assert set(HEADINGS) == set(Column)
    assert len({names[0] for names in HEADINGS.values()}) == len(Column)


@given(cells)
def test_whatever_a_sheet_holds_the_verdict_is_sound(rows: list[list[str]]):
    there = {one.cluster_id: one for one in (CAP, CHO)}
    verdict = examined(rows, a_ground(*there.values()))
    check_sound(verdict, there)


@given(st.lists(good_rows, max_size=5))
def test_rows_that_are_taken_together_make_no_two_of_one_kind(rows: list[list[str]]):
    there = {one.cluster_id: one for one in (CAP, CHO)}
    verdict = judged(*rows, there=tuple(there.values()))
    check_sound(verdict, there)
    taken = len(verdict.new) + len(verdict.changed) + verdict.same
    assert taken == (0 if verdict.faults else len(rows))
    if not verdict.faults:
        again = {**there, **{one.cluster_id: one for one in verdict.new}}
        again.update({one.after.cluster_id: one.after for one in verdict.changed})
        assert judged(*rows, there=tuple(again.values())).same == len(rows)


def check_sound(verdict: Verdict, there: dict[str, ClusterFacts]) -> None:
    ids = [one.cluster_id for one in verdict.new]
    assert len(ids) == len(set(ids))
    assert not set(ids) & set(there)
    for one in (*verdict.new, *(change.after for change in verdict.changed)):
        checked_id(one.cluster_id)
        assert one.unit_id in a_ground().own
        assert 0 < len(one.name) <= 200
        assert (one.latitude is None) == (one.longitude is None)
    for change in verdict.changed:
        assert change.before == there[change.before.cluster_id]
        assert change.before.unit_id == change.after.unit_id
        assert change.columns


def test_languages_are_named_by_code_or_name_and_an_unknown_one_is_a_fault():
    (made,) = examined(a_sheet(a_row(languages="vi, Mông; tày,nut")), a_ground()).new
    assert made.languages == ("hmn", "nut", "tyz", "vi")
    verdict = examined(a_sheet(a_row(languages="vi, klingon")), a_ground())
    assert not verdict.new
    ((finding,),) = [kind.shown for kind in verdict.faults]
    assert (finding.code, finding.fields["value"]) == ("cell-unknown-language", "klingon")


def test_a_cell_with_no_language_between_its_marks_is_a_fault_and_its_row_is_not_lost():
    assert found(judged(a_row(languages=" ; ,"))) == [(Fault.UNKNOWN_LANGUAGE, "2")]


def test_an_id_that_the_sheet_names_is_not_made_for_another_row():
    ids = [one.cluster_id for one in judged(a_row(), a_row(cluster_id=MADE, name="Chợ")).new]
    assert ids == [f"{MADE}-2", MADE]


def test_a_fault_in_a_later_part_of_a_long_sheet_has_the_number_of_its_row():
    rows = [a_row(name=f"Cụm {number}") for number in range(AT_ONCE + 7)]
    verdict = judged(*rows, a_row(name="Cuối", people="nhiều"), [""] * 9, a_row(name="Cụm 3"))
    assert found(verdict) == [
        (Fault.NOT_A_NUMBER, str(AT_ONCE + 9)),
        (Fault.NAME_TWICE, str(AT_ONCE + 11)),
    ]
    assert (verdict.new, verdict.changed, verdict.same) == ((), (), 0)


def test_an_empty_cell_leaves_the_languages_as_they_are():
    there = ClusterFacts(
        "c-1", "vn-08-00928", "Bản Cáp", "Bản Cáp", 22.8, 105.0, languages=("hmn",)
    )
    assert examined(a_sheet(a_row(cluster_id="c-1")), a_ground(there)).same == 1
    (change,) = examined(a_sheet(a_row(cluster_id="c-1", languages="vi")), a_ground(there)).changed
    assert change.after.languages == ("vi",)


def test_a_plan_of_data_is_read_with_its_unit_and_an_empty_cell_leaves_it_as_it_is():
    (new,) = judged(a_row(data_plan_mb="1,5 GB", data_plan_day="15")).new
    assert (new.data_plan_mb, new.data_plan_day) == (1500, 15)
    (bare,) = judged(a_row()).new
    assert (bare.data_plan_mb, bare.data_plan_day) == (None, 1)
    there = replace(CAP, data_plan_mb=4000, data_plan_day=5)
    assert judged(a_row(), there=(there,)).same == 1
    (change,) = judged(a_row(data_plan_mb="500 MB"), there=(there,)).changed
    assert change.columns == (Column.DATA_PLAN_MB,)
    assert (change.after.data_plan_mb, change.after.data_plan_day) == (500, 5)


@pytest.mark.parametrize(
    ("cells_", "fault"),
    [
        ({"data_plan_mb": "4"}, Fault.BAD_DATA_PLAN),
        ({"data_plan_mb": "0 MB"}, Fault.BAD_DATA_PLAN),
        ({"data_plan_day": "32"}, Fault.NOT_A_NUMBER),
        ({"data_plan_day": "0"}, Fault.NOT_A_NUMBER),
    ],
)
def test_a_plan_that_there_is_not_is_a_fault(cells_, fault):
    (kind,) = judged(a_row(**cells_)).faults
    assert kind.shown[0].code == fault
