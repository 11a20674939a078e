from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from server.domain.data_plans import DataUse
from server.domain.escalation import Rule
from server.domain.recurrence import day_bounds
from server.services.monitoring import ClusterState, Glance
from server.services.scheduling import TimelineSpan
from server.web.dashboard.presenters import Asked, Figures, figures, grouped, lines, plain
from server.web.live.presenters import progress
from server.web.schedule.presenters import ClusterDay, drawn
from server.web.targets import communes
from tests.factories.claims import a_claim
from tests.factories.units import a_small_tree

DAY = datetime(2026, 11, 22, tzinfo=UTC)
BOUNDS = day_bounds(DAY.date())
SIX = BOUNDS[0] + timedelta(hours=6)
SHORT = DataUse(1000, 1, 900.0, DAY.date(), DAY.date(), None, None)


def a_state(cluster_id="c-1", **changed: object):
    facts = {
        "cluster_id": cluster_id,
        "name": "Cụm",
        "village": "Thôn",
        "unit_id": "xa-1",
        "unit_name": "Xã Một",
        "latitude": None,
        "longitude": None,
        "people": 10,
        "contact_name": "",
        "contact_phone": "",
        "node_id": None,
        "liveness": "here",
        "last_heard_at": None,
        "software": "",
        "on_air_claim": "",
        "on_air_title": "",
        "on_air_class": "",
        "holds_newest_plan": True,
        "level_dbfs": None,
        "clock_trusted": None,
        "troubles": (),
        "alarms": (),
        "alarms_at": None,
        "equipment": None,
        "data": None,
        "machine": {},
    }
    return ClusterState(**{**facts, **changed})


def a_glance(cluster_id="c-1", **changed: object):
    facts = {
        "name": "Cụm",
        "village": "Thôn",
        "unit_id": "xa-1",
        "unit_name": "Xã Một",
        "liveness": "here",
        "on_air": False,
        "data": None,
    }
    return Glance(cluster_id, **{**facts, **changed})


def a_span(start, minutes, title="Thời sự", losers=()):
    claim = a_claim(title=title, unit="tinh")
    end = start + timedelta(minutes=minutes)
    return TimelineSpan(start, end, claim, "Tỉnh", losers)


def test_names_are_searched_without_their_marks():
    assert plain("Xã Đồng Văn") == "xa dong van"
    assert plain("HUYỆN Ỷ La") == "huyen y la"


def test_communes_are_ordered_as_vietnamese_look_them_up():
    names = ["Xã Vị Xuyên", "Xã Đồng Văn", "Xã Ea Kar", "Xã Du Già"]
    states = [a_state(f"c-{n}", unit_id=f"u-{n}", unit_name=name) for n, name in enumerate(names)]
    assert [group.unit_name for group in grouped(states)] == [
        "Xã Đồng Văn",
        "Xã Du Già",
        "Xã Ea Kar",
        "Xã Vị Xuyên",
    ]


def test_figures_count_each_cluster_as_answering_or_not():
    states = [
        a_glance("c-1", on_air=True),
        a_glance("c-2"),
        a_glance("c-3", liveness="late"),
        a_glance("c-4", liveness="lost"),
        a_glance("c-5", liveness="none"),
    ]
    found = figures(states)
    assert (found.on_air, found.here, found.troubled, found.all) == (1, 3, 2, 5)


def test_of_many_clusters_those_of_a_unit_those_found_or_those_in_a_state_are_chosen():
    glances = [
        a_glance("c-3", village="Đoài", liveness="lost"),
        a_glance("c-1", village="Bản Cáp", on_air=True),
        a_glance("c-2", village="Bản Lè", unit_id="xa-2", unit_name="Xã Ỷ La", data=SHORT),
    ]

    def chosen(**asked: str) -> list[str]:
        return [one.cluster_id for one in Asked(**asked).chosen(glances)]

    assert chosen() == []
    assert chosen(unit="xa-1") == ["c-1", "c-3"]
    assert chosen(words=" ban ") == ["c-1", "c-2"]
    assert chosen(words="Ỷ LA") == ["c-2"]
    assert chosen(show="trouble") == ["c-3"]
    assert chosen(show="data") == ["c-2"]
    assert chosen(show="on-air", words="doai") == []


def test_the_clusters_of_each_unit_are_summed_up_by_the_units_names():
    glances = [
        a_glance("c-2", unit_id="xa-2", unit_name="Xã Vị Xuyên"),
        a_glance("c-1", unit_name="Xã Đồng Văn", liveness="lost"),
        a_glance("c-3", unit_name="Xã Đồng Văn", on_air=True),
    ]
    assert [(one.unit_id, one.figures) for one in lines(glances)] == [
        ("xa-1", Figures(1, 1, 1, 2)),
        ("xa-2", Figures(0, 1, 0, 1)),
    ]


def test_clusters_of_one_village_are_one_choice_and_show_the_one_that_is_silent():
    states = [
        a_state("c-1", village="Đoài"),
        a_state("c-11", village="Đoài", liveness="lost"),
        a_state("c-2", village="Đông"),
    ]
    only = communes(states, a_small_tree(), "xa-1")
    assert [commune.unit_id for commune in only] == ["xa-1"]
    doai = next(village for village in only[0].villages if village.name == "Đoài")
    assert doai.value == "c-1,c-11"
    assert doai.people == 20
    assert doai.sign.css == "lost"


def test_clusters_with_the_same_day_share_a_row_and_others_do_not():
    same = (a_span(SIX, 30),)
    days = [ClusterDay("A", same), ClusterDay("B", same), ClusterDay("C", ())]
    drawing = drawn(days, a_small_tree(), BOUNDS, SIX, merge=True)
    assert [row.names for row in drawing.rows] == [("A", "B"), ("C",)]
    apart = drawn(days, a_small_tree(), BOUNDS, SIX, merge=False)
    assert len(apart.rows) == 3


def test_an_entry_names_the_clusters_only_when_not_all_hear_it():
    everywhere, here = a_span(SIX, 30), a_span(SIX + timedelta(hours=1), 30, "Bản tin")
    days = [ClusterDay("A", (everywhere, here)), ClusterDay("B", (everywhere,))]
    drawing = drawn(days, a_small_tree(), BOUNDS, SIX, merge=True)
    assert [(entry.block.title, entry.names) for entry in drawing.entries] == [
        ("Thời sự", ()),
        ("Bản tin", ("A",)),
    ]
    assert [entry.current for entry in drawing.entries] == [True, False]


def test_blocks_stand_where_the_hours_say_and_the_present_too():
    spans = (a_span(SIX, 60), a_span(SIX + timedelta(hours=9), 60))
    drawing = drawn([ClusterDay("A", spans)], a_small_tree(), BOUNDS, SIX, merge=True)
    assert (drawing.start, drawing.end) == (SIX, SIX + timedelta(hours=10))
    first, last = drawing.rows[0].blocks
    assert (first.x, first.width) == (0.0, 10.0)
    assert (last.x, last.width) == (90.0, 10.0)
    assert drawing.now_x == 0.0
    other_day = drawn(
        [ClusterDay("A", spans)], a_small_tree(), BOUNDS, SIX - timedelta(days=1), merge=True
    )
    assert other_day.now_x is None


def test_a_title_may_use_the_silence_after_its_block_but_not_the_next_block():
    spans = (a_span(SIX, 1), a_span(SIX + timedelta(minutes=30), 1), a_span(SIX, 1))
    drawing = drawn([ClusterDay("A", spans[:2])], a_small_tree(), BOUNDS, SIX, merge=True)
    first, last = drawing.rows[0].blocks
    assert first.x + first.room == last.x
    assert last.room > last.width


def test_what_loses_is_named_once():
    loser = a_claim(title="Bản tin xã")
    day = ClusterDay("A", (a_span(SIX, 30, losers=(loser, loser)),))
    drawing = drawn([day], a_small_tree(), BOUNDS, SIX, merge=True)
    assert drawing.entries[0].block.losers == ("Bản tin xã",)


def a_delivery(state="sent", **changed: object):
    facts = {
        "cluster_id": "c-1",
        "cluster_name": "Cụm",
        "village": "Thôn",
        "state": state,
        "reason": "",
        "attempts": 0,
        "received_at": None,
        "started_at": None,
        "ended_at": None,
        "liveness": "here",
        "last_heard_at": None,
        "contact_name": "",
        "contact_phone": "",
        "silence": "",
        "named_at": None,
        "answered_late_at": None,
        "is_hushed": False,
    }
    return SimpleNamespace(**{**facts, **changed})


def a_status(*deliveries: object, closed_at=None):
    return SimpleNamespace(
        broadcast=SimpleNamespace(closed_at=closed_at),
        rule=Rule(10, 15),
        deliveries=deliveries,
        counts={},
    )


def test_a_broadcast_is_over_when_nothing_of_it_can_sound_any_more():
    assert not progress(a_status(a_delivery("started"), a_delivery("played"))).over
    assert not progress(a_status(a_delivery("preempted"))).over
    assert progress(a_status(a_delivery("played"), a_delivery("missed"))).over
    assert progress(a_status(a_delivery("sent"), closed_at=DAY)).over


def test_who_does_not_answer_and_is_not_connected_comes_first_and_is_called():
    lost = a_delivery("sent", village="Z", liveness="lost")
    found = progress(a_status(a_delivery("started", village="A"), lost, a_delivery("sent")))
    assert found.lines[0].delivery is lost
    assert found.silent == (lost,)
    assert found.late == ()
    assert (found.sounding, found.waiting, found.total) == (1, 2, 3)


def test_who_is_connected_is_called_only_when_the_time_of_the_rule_is_over():
    named = a_delivery("received", silence="not-sounding", liveness="late")
    waiting = a_delivery("sent", liveness="late")
    found = progress(a_status(waiting, named))
    assert found.silent == (named,)
    assert found.lines[0].delivery is named


def test_who_was_named_and_answers_is_not_called_any_more_but_told():
    late = a_delivery("started", named_at=DAY, answered_late_at=DAY)
    again = a_delivery("received", silence="not-sounding", named_at=DAY, answered_late_at=DAY)
    found = progress(a_status(late, again))
    assert found.late == (late,)
    assert found.silent == (again,)
