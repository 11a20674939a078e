"""An announcement that needs a second person: asked for by one, confirmed by another, in time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from protocol.signing import unverified
from server.domain.assent import ASKED_FOR, Line, default_lines
from server.domain.authority import Role
from server.domain.errors import (
    BroadcastRefusedError,
    NotAllowedError,
    RuleRefusedError,
    SecondPersonNeededError,
    StaleError,
    TakenError,
    WaitingRefusedError,
)
from server.services import accounts, assenting, broadcasting, grouping, waiting
from server.services.assenting import Proof
from server.services.drill_labels import TEXTS
from server.store.models import (
    AssentRuleRow,
    AssetRow,
    AuditRow,
    BroadcastRow,
    EventRow,
    OutboxRow,
    UserRow,
    WaitingRow,
)
from tests.factories.claims import NOON, an_asset, at
from tests.factories.provinces import a_new_broadcast
from tests.factories.units import OPERATOR, an_actor

S = timedelta(seconds=1)
SITE = "https://loa.vn"
TWO_ALWAYS = (Line(1, 0, 0, 0, 2),)
INSTEAD = Proof(prefers_other=True)


def entered(province):
    """Let in an author and two others of a commune, one of another, one of the province."""
    places = {
        "xa": "xa-1",
        "xa-hai": "xa-1",
        "xa-ba": "xa-1",
        "xa-khac": "xa-2",
        "tinh-mot": "tinh",
    }
    made = {}
    with province.sessions.begin() as db:
        for name, unit in places.items():
            row = accounts.create_user(
                db,
                username=name,
                password_hash="-",  # noqa: S106 - nobody logs in with it
                full_name="",
                grants=[(Role.COMMUNE_OFFICER.value, unit)],
                now=NOON,
                actor=OPERATOR,
            )
            made[name] = accounts.actor_of(row)
    province.run(
        assenting.lay_down, unit_id="tinh", lines=TWO_ALWAYS, version=0, now=NOON, actor=OPERATOR
    )
    return made


@pytest.fixture
def people(province):
    return entered(province)


def keep_labels(province):
    with province.sessions.begin() as db:
        for purpose in TEXTS:
            label = an_asset(purpose, duration_s=3.0)
            db.add(
                AssetRow(
                    digest=label.digest,
                    unit_id="tinh",
                    title=purpose,
                    purpose=purpose,
                    duration_s=3.0,
                    size_bytes=1,
                    created_at=NOON,
                    created_by="loa",
                )
            )


def order(province, request_id="r-1", *, actor, now=NOON, proof=INSTEAD, **new: object):
    return province.run(
        waiting.order,
        new=a_new_broadcast(request_id, **new),
        now=now,
        actor=actor,
        keyring=province.keyring,
        site=SITE,
        proof=proof,
    )


def confirm(province, row, *, actor, now=NOON):
    return province.run(
        waiting.confirm,
        broadcast_id=row.broadcast_id,
        now=now,
        actor=actor,
        keyring=province.keyring,
    )


def refuse(province, row, *, actor, now=NOON, reason="Chưa có lệnh"):
    return province.run(
        waiting.refuse, broadcast_id=row.broadcast_id, reason=reason, now=now, actor=actor
    )


def stop(province, row, *, actor, now=NOON):
    return province.run(
        waiting.stop,
        broadcast_id=row.broadcast_id,
        now=now,
        actor=actor,
        keyring=province.keyring,
    )


def refused(call, *args: object, **facts: object):
    with pytest.raises(WaitingRefusedError) as caught:
        call(*args, **facts)
    return [finding.code for finding in caught.value.findings]


def state(province, row):
    return province.rows(WaitingRow, broadcast_id=row.broadcast_id)[0].state


def orders(province):
    return [row for row in province.rows(OutboxRow) if row.topic.endswith("/order")]


@pytest.mark.parametrize("mode", ["real", "drill"])
def test_what_needs_two_sounds_when_the_second_has_confirmed_and_not_before(province, people, mode):
    keep_labels(province)
    row = order(province, actor=people["xa"], mode=mode)
    assert (row.state, row.cover_id, row.clusters) == ("waiting", "xa-1", 2)
    assert row.ends_at == NOON + ASKED_FOR
    assert province.rows(BroadcastRow) == orders(province) == []
    assert [event.kind for event in province.rows(EventRow, ref=row.broadcast_id)] == ["waiting"]

    made = confirm(province, row, actor=people["xa-hai"], now=at(3))
    assert made.broadcast_id == row.broadcast_id
    assert (made.created_by, made.confirmed_by) == ("xa", "xa-hai")
    assert made.start >= at(3)
    assert unverified(orders(province)[0].payload).msg.claim.claim_id == row.broadcast_id
    assert state(province, row) == "confirmed"
    [announced] = province.rows(AuditRow, action="announce")
    assert (announced.actor, announced.detail["confirmed_by"]) == ("xa", "xa-hai")
    [confirmed] = province.rows(AuditRow, action="confirmed-broadcast")
    assert (confirmed.actor, confirmed.detail["asked_by"]) == ("xa-hai", "xa")


def test_the_same_confirmation_twice_is_one_announcement(province, people):
    row = order(province, actor=people["xa"])
    first = confirm(province, row, actor=people["xa-hai"])
    again = confirm(province, row, actor=people["xa-ba"], now=at(1))
    assert first.token == again.token
    assert again.confirmed_by == "xa-hai"
    assert len(orders(province)) == 1


def test_of_two_who_confirm_at_once_one_does(on_postgres):
    people = entered(on_postgres)
    row = order(on_postgres, actor=people["xa"])
    with ThreadPoolExecutor() as pool:
        named = [people["xa-hai"], people["xa-ba"]]
        made = list(pool.map(lambda actor: confirm(on_postgres, row, actor=actor), named))
    assert made[0].token == made[1].token
    assert len(orders(on_postgres)) == 1
    assert len(on_postgres.rows(AuditRow, action="confirmed-broadcast")) == 1


def test_a_confirmation_and_a_withdrawal_at_once_end_in_one_of_them(on_postgres):
    people = entered(on_postgres)
    row = order(on_postgres, actor=people["xa"])
    with ThreadPoolExecutor() as pool:
        sent = pool.submit(confirm, on_postgres, row, actor=people["xa-hai"])
        back = pool.submit(stop, on_postgres, row, actor=people["xa"])
        back.result()
        error = sent.exception()
    made = on_postgres.rows(BroadcastRow)
    # Withdrawn first: never announced. Confirmed first: stopped. Never announced and on air.
    assert isinstance(error, WaitingRefusedError) if not made else made[0].stopped_at is not None


def test_nobody_confirms_what_they_have_asked_for(province, people):
    row = order(province, actor=people["xa"])
    assert refused(confirm, province, row, actor=people["xa"]) == ["own-confirmation"]
    assert refused(refuse, province, row, actor=people["xa"]) == ["own-confirmation"]
    assert province.rows(BroadcastRow) == []


def test_whoever_has_the_right_over_the_loudspeakers_may_confirm_and_nobody_else(province, people):
    row = order(province, actor=people["xa"])
    for nobody in (people["xa-khac"], an_actor(Role.TECHNICIAN)):
        with pytest.raises(NotAllowedError):
            confirm(province, row, actor=nobody)
    of_province = order(
        province, "r-2", actor=people["tinh-mot"], unit_id="tinh", decision_number="1"
    )
    assert of_province.cover_id == "xa-1"
    assert confirm(province, of_province, actor=people["xa"]).confirmed_by == "xa"
    assert confirm(province, row, actor=people["tinh-mot"]).confirmed_by == "tinh-mot"


def test_nobody_confirms_what_has_come_to_reach_further_than_their_right(province, people):
    by = {"name": "Ven sông", "now": NOON, "actor": OPERATOR}
    group = province.run(
        grouping.create_group, group_id="ven-song", unit_id="tinh", clusters=("xa-1-c1",), **by
    ).group_id
    asked = {"unit_id": "tinh", "units": (), "groups": (group,), "decision_number": "1"}
    row = order(province, actor=people["tinh-mot"], **asked)
    assert row.cover_id == "xa-1"
    province.run(grouping.change_group, group_id=group, clusters=("xa-1-c1", "xa-2-c1"), **by)
    with pytest.raises(NotAllowedError):
        confirm(province, row, actor=people["xa"])
    assert province.rows(BroadcastRow) == []


def test_what_nobody_confirms_in_time_is_never_heard(province, people):
    row = order(province, actor=people["xa"])
    late = NOON + ASKED_FOR
    assert refused(confirm, province, row, actor=people["xa-hai"], now=late) == ["waiting-lapsed"]
    assert province.run(waiting.lapse, now=late - S) == 0
    assert province.run(waiting.lapse, now=late) == 1
    assert province.run(waiting.lapse, now=late) == 0
    assert state(province, row) == "lapsed"
    assert refused(confirm, province, row, actor=people["xa-hai"], now=NOON) == ["waiting-lapsed"]
    assert province.rows(BroadcastRow) == []
    # The phone that sends the same once more is told the same.
    assert order(province, actor=people["xa"], now=late).state == "lapsed"


def test_what_a_clock_that_was_ahead_has_let_wait_is_not_confirmed_once_it_is_set_right(
    province, people
):
    row = order(province, actor=people["xa"], now=NOON + timedelta(days=1))
    assert province.run(waiting.open_ones, now=NOON) == []
    assert refused(confirm, province, row, actor=people["xa-hai"]) == ["waiting-lapsed"]
    assert province.run(waiting.lapse, now=NOON) == 1
    # A clock that is set right by seconds takes nothing from anybody.
    soon = order(province, "r-2", actor=people["xa"])
    assert confirm(province, soon, actor=people["xa-hai"], now=NOON - S).confirmed_by == "xa-hai"


def test_a_refusal_has_a_reason_and_is_for_good(province, people):
    row = order(province, actor=people["xa"])
    assert refused(refuse, province, row, actor=people["xa-hai"], reason=" ") == ["reason-needed"]
    refuse(province, row, actor=people["xa-hai"])
    refuse(province, row, actor=people["xa-hai"])
    assert refused(confirm, province, row, actor=people["xa-ba"]) == ["waiting-refused"]
    assert len(province.rows(AuditRow, action="refused-broadcast")) == 1
    assert province.rows(WaitingRow)[0].reason == "Chưa có lệnh"


def test_its_author_withdraws_it_and_so_may_whoever_may_stop(province, people):
    first = order(province, actor=people["xa"])
    second = order(province, "r-2", actor=people["xa"])
    with pytest.raises(NotAllowedError):
        stop(province, first, actor=people["xa-khac"])
    assert stop(province, first, actor=people["xa"]).state == "withdrawn"
    assert stop(province, first, actor=people["xa"]).state == "withdrawn"
    assert stop(province, second, actor=people["tinh-mot"]).state == "withdrawn"
    assert refused(confirm, province, first, actor=people["xa-hai"]) == ["waiting-withdrawn"]


def test_after_its_confirmation_it_is_stopped_like_any_other(province, people):
    row = order(province, actor=people["xa"])
    confirm(province, row, actor=people["xa-hai"])
    assert stop(province, row, actor=people["xa"]).stopped_by == "xa"


def test_the_same_request_again_waits_once_and_another_under_its_id_is_refused(province, people):
    first = order(province, "r-same", actor=people["xa"])
    again = order(province, "r-same", actor=people["xa"], now=at(1))
    assert again.broadcast_id == first.broadcast_id
    with pytest.raises(TakenError):
        order(province, "r-same", actor=people["xa"], title="Khác")
    confirm(province, first, actor=people["xa-hai"])
    assert order(province, "r-same", actor=people["xa"]).confirmed_by == "xa-hai"
    assert len(province.rows(WaitingRow)) == 1


def test_an_author_who_was_shut_out_meanwhile_announces_nothing(province, people):
    row = order(province, actor=people["xa"])
    with province.sessions.begin() as db:
        db.query(UserRow).filter_by(username="xa").one().active = False
    assert refused(confirm, province, row, actor=people["xa-hai"]) == ["author-may-not"]
    assert state(province, row) == "waiting"
    assert province.rows(BroadcastRow) == []


def test_what_is_wrong_is_told_before_anybody_is_asked(province, people):
    with pytest.raises(BroadcastRefusedError):
        order(province, actor=people["xa"], title=" ")
    assert province.rows(WaitingRow) == []


def test_no_way_round_leads_to_the_loudspeakers(province, people):
    """The rule stands where the order is signed, not where it is asked for."""
    with pytest.raises(SecondPersonNeededError):
        province.run(
            broadcasting.announce,
            new=a_new_broadcast("r-9"),
            now=NOON,
            actor=people["xa"],
            keyring=province.keyring,
            proof=INSTEAD,
        )


def test_where_nobody_else_may_confirm_one_person_is_enough(province, people):
    with province.sessions.begin() as db:
        for name in ("xa-hai", "xa-ba", "tinh-mot"):
            db.query(UserRow).filter_by(username=name).one().active = False
    assert isinstance(order(province, actor=people["xa"]), BroadcastRow)


def test_the_rule_of_the_product_holds_until_a_province_lays_down_its_own(province):
    def rule(db):
        places = assenting.tree(db, today=NOON.date())
        return assenting.rule_of(db, places, "xa-2")

    assert province.run(rule).lines == default_lines({0, 1})
    lay_down(province, TWO_ALWAYS)
    assert province.run(rule).lines == TWO_ALWAYS
    assert province.run(rule).version == 1


def test_a_rule_is_the_provinces_and_nobody_overwrites_what_they_have_not_seen(province):
    lay_down(province, TWO_ALWAYS)
    with pytest.raises(StaleError):
        lay_down(province, ())
    lay_down(province, (), version=1)
    with pytest.raises(NotAllowedError):
        lay_down(province, (), version=2, actor=an_actor(Role.ADMIN, "xa-1"))
    with pytest.raises(NotAllowedError):
        lay_down(province, (), version=0, unit_id="xa-1")
    with pytest.raises(RuleRefusedError):
        lay_down(province, (Line(7, 0, 0, 0, 2),), version=2)
    assert province.rows(AssentRuleRow)[0].version == 2
    changed = province.rows(AuditRow, action="lay-down-assent")[-1]
    assert changed.detail["before"]["lines"][0]["persons"] == 2
    assert changed.detail["after"] == {"lines": []}


def lay_down(province, lines, *, version=0, unit_id="tinh", actor=OPERATOR):
    return province.run(
        assenting.lay_down, unit_id=unit_id, lines=lines, version=version, now=NOON, actor=actor
    )
