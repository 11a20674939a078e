"""One person silences, two lift; what nodes are told, and what they answer."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from msgspec.structs import replace

from edge.schedule import Accepted, Holdings, receive
from protocol.errors import Refusal, RefusedError
from protocol.messages import Hush, LiftHush, Mode, Presence, PresenceState, Received, Refused
from protocol.why import Why
from server.domain.assent import ASKED_FOR
from server.domain.authority import Actor, Grant, Role
from server.domain.errors import HushRefusedError, NotAllowedError
from server.domain.hushes import Standing
from server.services import hush_deliveries, hushing, planning, units, why
from server.services.hushing import NewHush
from server.store.models import AuditRow, EventRow, HushDeliveryRow, HushRow, OutboxRow
from tests.factories.claims import NOON, a_claim, an_announcement, at
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR, an_actor

S = timedelta(seconds=1)
ONE, OTHER = (
    Actor(name, (Grant(Role.BROADCASTER, "tinh"),)) for name in ("phat-thanh", "truc-ban")
)


def hush(province, unit_id="xa-1", *, now=NOON, actor=ONE, **facts: object):
    new = NewHush(unit_id, **{"reason": "Tài khoản bị lộ", **facts})
    return province.run(hushing.hush, new=new, now=now, actor=actor, keyring=province.keyring)


def ask(province, row, *, now=NOON, actor=ONE):
    return province.run(hushing.ask_lift, hush_id=row.hush_id, now=now, actor=actor)


def approve(province, row, *, now=NOON, actor=OTHER):
    return province.run(
        hushing.approve_lift, hush_id=row.hush_id, now=now, actor=actor, keyring=province.keyring
    )


def lift(province, row, *, now=NOON):
    ask(province, row, now=now)
    return approve(province, row, now=now)


def refused(call, *args: object, **facts: object):
    with pytest.raises(HushRefusedError) as caught:
        call(*args, **facts)
    return [finding.code for finding in caught.value.findings]


def newest_words(province, unit_id="xa-1"):
    """What the unit's newest plan says of silence."""
    return province.said(f"unit/{unit_id}/plan")[-1].msg.rules.hushes


def a_node(province, cluster="xa-1-c1"):
    """What a real node of a cluster holds once it has its configuration."""
    province.commission(cluster)
    config = province.posted(f"n-{cluster}/in/config")[-1].payload
    held = Holdings(f"n-{cluster}", province.keyring.root_public)
    return receive(held, f"loa/1/node/n-{cluster}/in/config", config, NOON).holdings


def fed(held, rows, now=NOON):
    """Let a node take what was posted; what it holds already or what is not for it is no matter."""
    for row in rows:
        try:
            verdict = receive(held, row.topic, row.payload, now)
        except RefusedError as error:
            assert error.refusal is Refusal.STALE_VERSION  # noqa: PT017 - the other outcome is fine
        else:
            held = verdict.holdings if isinstance(verdict, Accepted) else held
    return held


def is_silent(held, now, claim=None):
    return not held.policy.permits(claim or a_claim(), now)


def test_order_plan_audit_event_and_deliveries_come_together_or_not_at_all(province):
    row = hush(province)
    (order,) = province.said("xa-1/order")
    assert isinstance(order.msg, Hush)
    assert order.msg.state == newest_words(province)[0]
    assert order.msg.state.hush_id == row.hush_id
    assert {d.cluster_id for d in province.rows(HushDeliveryRow)} == {"xa-1-c1", "xa-1-c2"}
    assert [a.subject for a in province.rows(AuditRow, action="hush")] == [row.hush_id]
    assert {event.ref for event in province.rows(EventRow)} >= {row.hush_id}


def test_what_fails_at_the_end_leaves_nothing_behind(province):
    def interrupted(db):
        new = NewHush("xa-1", "Tài khoản bị lộ")
        hushing.hush(db, new, now=NOON, actor=ONE, keyring=province.keyring)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        province.run(interrupted)
    for kind in (HushRow, HushDeliveryRow, OutboxRow):
        assert province.rows(kind) == []
    assert province.rows(AuditRow, action="hush") == []


def test_every_order_of_arrival_leaves_a_node_as_silent_as_the_unit_says(province):
    empty = a_node(province)
    first = hush(province, now=NOON)
    lift(province, first, now=at(1))
    hush(province, now=at(2))
    posted = province.posted("unit/xa-1/")
    for now_silent, rows in (
        (True, posted),
        (True, posted[::-1]),
        (False, posted[:-2]),
        (False, posted[:-2][::-1]),
    ):
        orders = [row for row in rows if row.topic.endswith("/order")]
        assert is_silent(fed(empty, orders, at(3)), at(4)) is now_silent
        plans = [row for row in rows if row.topic.endswith("/plan")]
        plans.sort(key=lambda row: row.outbox_id)
        assert is_silent(fed(empty, plans, at(3)), at(4)) is now_silent
        # A node that was away has the newest plan, and then hears a recorded order of long ago.
        assert is_silent(fed(fed(empty, plans[-1:], at(3)), orders[:1], at(3)), at(4)) is now_silent


def test_a_province_hushes_all_under_it_and_only_itself_gives_back(province):
    held = a_node(province, "xa-2-c1")
    commune = hush(province, "xa-2")
    whole = hush(province, "tinh")
    lift(province, commune)
    held = fed(held, province.posted("/order"))
    assert is_silent(held, at(1))
    lift(province, whole)
    assert not is_silent(fed(held, province.posted("/order")), at(1))


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.VIEWER])
def test_who_may_not_speak_neither_hushes_nor_lifts(province, role):
    nobody = an_actor(role, "tinh")
    with pytest.raises(NotAllowedError):
        hush(province, actor=nobody)
    row = hush(province)
    for service in (ask, approve):
        with pytest.raises(NotAllowedError):
            service(province, row, actor=nobody)


def test_an_officer_hushes_the_own_commune_only(province):
    officer = an_actor(Role.COMMUNE_OFFICER, "xa-1")
    hush(province, "xa-1", actor=officer)
    for unit_id in ("xa-2", "tinh"):
        with pytest.raises(NotAllowedError):
            hush(province, unit_id, actor=officer)


def test_hushed_twice_is_hushed_once(province):
    first = hush(province)
    assert hush(province, now=at(1), actor=OTHER).hush_id == first.hush_id
    assert len(province.posted("xa-1/order")) == 1


def test_two_who_hush_at_once_make_one_silence(on_postgres):
    with ThreadPoolExecutor(6) as pool:
        rows = list(pool.map(lambda _: hush(on_postgres), range(6)))
    assert len({row.hush_id for row in rows}) == 1
    assert len(on_postgres.posted("xa-1/order")) == 1


def test_a_stricter_hush_takes_the_place_of_the_one_that_is_on_and_a_looser_one_is_refused(
    province,
):
    held = a_node(province)
    spares = hush(province, spares_emergencies=True)
    held = fed(held, province.posted("xa-1/"))
    assert not is_silent(held, at(1), an_announcement())
    strict = hush(province, now=at(1))
    held = fed(held, province.posted("xa-1/"), at(1))
    assert is_silent(held, at(1), an_announcement())
    assert province.rows(HushRow, hush_id=spares.hush_id)[0].superseded_by == strict.hush_id
    assert refused(hush, province, now=at(2), spares_emergencies=True) == ["hush-looser"]


def test_a_hush_without_a_reason_is_refused(province):
    assert refused(hush, province, reason=" ", mode="x") == ["reason-needed", "bad-mode"]


def test_nobody_lifts_alone(province):
    row = hush(province)
    assert refused(approve, province, row) == ["lift-not-asked"]
    ask(province, row)
    assert refused(approve, province, row, actor=ONE) == ["own-lift"]
    assert len(province.posted("xa-1/order")) == 1
    lifted = approve(province, row)
    assert (lifted.lift_asked_by, lifted.ended_by) == ("phat-thanh", "truc-ban")
    (_, order) = province.said("xa-1/order")
    assert isinstance(order.msg, LiftHush)
    assert order.msg.state.lifted_by == ("phat-thanh", "truc-ban")
    assert newest_words(province) == (order.msg.state,)


def test_a_wish_to_lift_is_forgotten_after_a_while_and_may_be_uttered_again(province):
    row = hush(province)
    ask(province, row)
    late = NOON + ASKED_FOR
    assert refused(approve, province, row, now=late) == ["lift-not-asked"]
    assert refused(ask, province, row, now=late - S, actor=OTHER) == ["lift-asked"]
    ask(province, row, now=late, actor=OTHER)
    assert approve(province, row, now=late, actor=ONE).ended_by == "phat-thanh"


def test_two_who_approve_at_once_lift_once(on_postgres):
    row = hush(on_postgres)
    ask(on_postgres, row)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: approve(on_postgres, row), range(4)))
    assert len(on_postgres.posted("xa-1/order")) == 2
    assert len(on_postgres.rows(AuditRow, action="lift-hush")) == 1


def test_a_drill_is_told_like_a_real_one_silences_nothing_and_lifts_nothing_real(province):
    held = a_node(province)
    drill = hush(province, mode="drill")
    held = fed(held, province.posted("xa-1/"))
    assert not is_silent(held, at(1))
    real = hush(province)
    lift(province, drill)
    held = fed(held, province.posted("xa-1/"))
    assert is_silent(held, at(1))
    assert {state.mode for state in newest_words(province)} == {Mode.REAL, Mode.DRILL}
    lift(province, real)
    assert not is_silent(fed(held, province.posted("xa-1/")), at(1))


def standings(province, row, *, now=NOON):
    def ask_for(db):
        found = hushing.find(db, row.hush_id)
        tree = units.tree(db, today=TODAY)
        return hush_deliveries.status(db, found, now=now, actor=OPERATOR, units=tree)

    status = province.run(ask_for)
    return {line.cluster_id: line.standing for line in status.clusters}


def here(node, **facts: object):
    return Presence(node=node, state=PresenceState.HERE, at=NOON, **facts)


def receipt(row, word="hush", report_id="p-1"):
    message_id = f"{word}-{row.hush_id}"
    return Received(report_id=report_id, claim_id=row.hush_id, at=NOON, message_id=message_id)


def test_the_page_tells_who_is_silent_who_has_not_answered_and_who_is_away(province):
    for cluster in ("xa-1-c1", "xa-1-c2", "xa-2-c1"):
        province.commission(cluster)
    for node in ("n-xa-1-c1", "n-xa-1-c2"):
        province.hear(node, here(node))
    row = hush(province, "tinh")
    province.hear("n-xa-1-c1", receipt(row))
    assert standings(province, row) == {
        "xa-1-c1": Standing.SILENT,
        "xa-1-c2": Standing.WAITING,
        "xa-2-c1": Standing.AWAY,
        "xa-2-c2": Standing.NO_NODE,
    }
    # A node that was away says by its birth that it holds the plan.
    province.hear("n-xa-2-c1", here("n-xa-2-c1", plan_versions={"tinh": row.plan_version}))
    assert standings(province, row)["xa-2-c1"] is Standing.SILENT
    lift(province, row)
    assert standings(province, row)["xa-1-c1"] is Standing.WAITING
    province.hear("n-xa-1-c1", receipt(row, "lift", "p-2"))
    assert standings(province, row)["xa-1-c1"] is Standing.LIFTED


def test_receipts_may_come_twice_and_in_any_order(province):
    province.commission("xa-1-c1")
    row = hush(province)
    lift(province, row)
    for word in ("lift", "hush", "lift"):
        province.hear("n-xa-1-c1", receipt(row, word, f"p-{word}"))
    assert standings(province, row)["xa-1-c1"] is Standing.LIFTED


def test_it_is_sent_again_byte_for_byte_until_it_is_answered(province):
    province.commission("xa-1-c1")
    province.hear("n-xa-1-c1", here("n-xa-1-c1"))
    row = hush(province)
    assert province.run(hush_deliveries.resend_due, now=NOON + S) == 0
    assert province.run(hush_deliveries.resend_due, now=NOON + 2 * S) == 1
    assert province.posted("n-xa-1-c1/in/order")[-1].payload == row.token
    province.hear("n-xa-1-c1", receipt(row))
    assert province.run(hush_deliveries.resend_due, now=NOON + 60 * S) == 0
    lifted = lift(province, row, now=at(2))
    assert province.run(hush_deliveries.resend_due, now=at(2) + 2 * S) == 1
    assert province.posted("n-xa-1-c1/in/order")[-1].payload == lifted.lift_token
    assert province.run(hush_deliveries.resend_due, now=lifted.expires_at) == 0


def test_a_node_that_refuses_is_named_and_not_told_again_until_it_comes_back(province):
    province.commission("xa-1-c1")
    province.hear("n-xa-1-c1", here("n-xa-1-c1"))
    row = hush(province)
    topic = "loa/1/unit/xa-1/order"
    province.hear(
        "n-xa-1-c1",
        Refused(
            report_id="p-1", at=NOON, topic=topic, reason=Refusal.REVOKED_KEY, claim_id=row.hush_id
        ),
    )
    assert standings(province, row)["xa-1-c1"] is Standing.REFUSED
    assert province.run(hush_deliveries.resend_due, now=NOON + 9 * S) == 0
    lost = replace(here("n-xa-1-c1"), state=PresenceState.LOST)
    province.hear("n-xa-1-c1", lost, here("n-xa-1-c1"))
    assert [o.payload for o in province.posted("n-xa-1-c1/in/order")] == [row.token]


def test_the_server_names_the_hush_as_the_reason_and_remembers_when_it_was(province):
    province.commission("xa-1-c1")
    announced = province.announce()
    row = hush(province, now=at(0.1))
    lift(province, row, now=at(0.2))

    def asked(instant):
        answer = province.run(
            why.answer, cluster_id="xa-1-c1", at=instant, actor=OPERATOR, now=at(1)
        )
        return answer.verdict

    assert asked(at(0.05)).heard.claim_id == announced.broadcast_id
    assert [loser.why for loser in asked(at(0.15)).losers] == [Why.HUSHED]
    hush(province, now=at(0.3))
    assert asked(at(0.35)).heard is None
    assert asked(at(0.25)).heard is not None


def test_a_plan_is_published_anew_for_a_hush_alone_and_not_again_without_news(province):
    tree = province.run(units.tree, today=TODAY)

    def due():
        return province.run(planning.due_units, now=NOON, units=tree)

    province.run(planning.publish_due_plans, now=NOON, keyring=province.keyring)
    row = hush(province)
    assert due() == []
    ask(province, row)
    assert due() == []
    approve(province, row)
    assert due() == []
