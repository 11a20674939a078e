"""Try and set one cluster from afar: who may, what is sent, and what the answers come to."""

from datetime import timedelta

import pytest

from edge.schedule import Accepted, Holdings, receive
from protocol.errors import Refusal
from protocol.messages import (
    AsRun,
    ClaimKind,
    Done,
    Mode,
    Outcome,
    Presence,
    PresenceState,
    Received,
    Refused,
    Segment,
    Started,
    TalkKey,
)
from server.domain.authority import Actor, Grant, Role
from server.domain.errors import NotAllowedError, TooOftenError, UpkeepRefusedError
from server.domain.upkeep import (
    ANSWERED_WITHIN,
    MOST_ORDERS,
    ORDER_LIFE,
    ORDERS_PER,
    TALK_TITLE,
    Standing,
)
from server.services import monitoring, upkeep
from server.services.upkeep import Asked
from server.store.models import AssetRow, AuditRow, ClusterRow, EventRow, OutboxRow, UpkeepRow
from tests.factories.claims import NOON, an_asset
from tests.factories.provinces import CHIME, _ingested
from tests.factories.units import OPERATOR

HERE, NODE = "xa-1-c1", "n-xa-1-c1"
TOPIC = f"loa/1/node/{NODE}/in/order"
S = timedelta(seconds=1)
TECHNICIAN = Actor("tho-dien", (Grant(Role.TECHNICIAN, "xa-1"),))


@pytest.fixture
def node(province):
    province.commission(HERE)
    config = province.posted(f"{NODE}/in/config")[-1].payload
    return receive(
        Holdings(NODE, province.keyring.root_public), f"loa/1/node/{NODE}/in/config", config, NOON
    ).holdings


def order(province, deed, *, now=NOON, actor=TECHNICIAN, cluster=HERE, **facts: object):
    asked = Asked(cluster, deed, **facts)
    return province.run(upkeep.order, asked=asked, now=now, actor=actor, keyring=province.keyring)


def stands(province, row, *, now=NOON) -> tuple[Standing, str]:
    found = province.run(upkeep.find, order_id=row.order_id, now=now, actor=TECHNICIAN)
    return found.standing, found.row.reason


def refused(province, *args: object, **facts: object) -> list[str]:
    with pytest.raises(UpkeepRefusedError) as caught:
        order(province, *args, **facts)
    return [finding.code for finding in caught.value.findings]


def sent(province) -> OutboxRow:
    return province.posted(f"{NODE}/in/order")[-1]


@pytest.mark.parametrize("deed", ["quiet", "identify", "restart"])
def test_an_order_is_one_that_the_node_takes_for_a_minute_and_no_longer(province, node, deed):
    row = order(province, deed)
    verdict = receive(node, TOPIC, sent(province).payload, NOON)
    assert isinstance(verdict, Accepted)
    assert verdict.order.claim_id == row.order_id
    assert sent(province).expires_at == NOON + ORDER_LIFE
    assert not sent(province).retained
    (deed_done,) = province.rows(AuditRow, action=f"upkeep-{deed}")
    assert (deed_done.subject, deed_done.actor) == (HERE, "tho-dien")
    assert HERE in {event.ref for event in province.rows(EventRow) if event.kind == "upkeep"}


@pytest.mark.parametrize(("cuts", "mode"), [(False, Mode.REAL), (True, Mode.DRILL)])
@pytest.mark.usefixtures("node")
def test_the_quiet_test_is_the_chime_that_nodes_keep_turned_down(province, cuts, mode):
    order(province, "quiet", cuts=cuts)
    claim = province.said(f"{NODE}/in/order")[-1].msg.claim
    assert claim.kind is ClaimKind.CHECK
    assert claim.mode is mode
    assert [ref.digest for ref in claim.content.items] == [CHIME.digest]
    assert claim.gain_db < -20


@pytest.mark.usefixtures("node")
def test_the_spoken_test_says_the_name_of_the_cluster_and_is_spoken_once(province):
    assert refused(province, "spoken") == ["test-not-spoken"]
    facts = {"cluster_id": HERE, "now": NOON, "actor": TECHNICIAN}
    text = province.run(upkeep.words_to_speak, **facts)
    assert province.rows(ClusterRow, cluster_id=HERE)[0].name in text
    for _twice in range(2):
        province.run(upkeep.keep_spoken, asset=_ingested(CHIME), **facts)
    # What is kept under another name already is not taken for it.
    assert refused(province, "spoken") == ["test-not-spoken"]
    spoken = _ingested(an_asset("thu loa", duration_s=4.0))
    province.run(upkeep.keep_spoken, asset=spoken, **facts)
    assert province.run(upkeep.words_to_speak, **facts) == ""
    order(province, "spoken")
    assert province.said(f"{NODE}/in/order")[-1].msg.claim.gain_db == 0.0
    (kept,) = province.rows(AssetRow, purpose="check")
    assert (kept.unit_id, kept.title) == ("xa-1", text)


@pytest.mark.usefixtures("node")
def test_officers_and_technicians_of_the_subtree_may_and_nobody_else(province):
    for role in (Role.ADMIN, Role.BROADCASTER, Role.COMMUNE_OFFICER, Role.TECHNICIAN):
        for unit in ("tinh", "xa-1"):
            actor = Actor(f"{role}-{unit}", (Grant(role, unit),))
            province.run(upkeep.place, cluster_id=HERE, now=NOON, actor=actor)
    for grant in (Grant(Role.VIEWER, "tinh"), Grant(Role.TECHNICIAN, "xa-2")):
        with pytest.raises(NotAllowedError):
            order(province, "identify", actor=Actor("la", (grant,)))
    assert province.rows(UpkeepRow) == []


@pytest.mark.usefixtures("node")
def test_one_cluster_is_ordered_so_often_a_minute_whoever_orders_and_another_is_free(province):
    province.commission("xa-1-c2")
    for number in range(MOST_ORDERS):
        order(province, "identify", actor=TECHNICIAN if number % 2 else OPERATOR)
    with pytest.raises(TooOftenError) as caught:
        order(province, "identify")
    assert 0 < caught.value.wait_s <= ORDERS_PER.total_seconds() + 1
    assert len(province.rows(UpkeepRow)) == MOST_ORDERS
    order(province, "identify", cluster="xa-1-c2")
    order(province, "identify", now=NOON + ORDERS_PER)


@pytest.mark.parametrize(
    ("deed", "facts", "codes"),
    [
        ("dance", {}, ["bad-deed"]),
        ("volume", {}, ["bad-volume"]),
        ("volume", {"volume_db": 0.5}, ["bad-volume"]),
        ("volume", {"volume_db": -61.0}, ["bad-volume"]),
        ("volume", {"volume_db": float("nan")}, ["bad-volume"]),
        ("delay", {}, ["bad-delay"]),
        ("delay", {"delay_ms": -1}, ["bad-delay"]),
        ("delay", {"delay_ms": 1001}, ["bad-delay"]),
    ],
)
@pytest.mark.usefixtures("node")
def test_what_cannot_be_ordered_is_said(province, deed, facts, codes):
    assert refused(province, deed, **facts) == codes


def test_a_cluster_without_equipment_cannot_be_tried(province):
    assert refused(province, "identify") == ["no-equipment"]


# -- answers


def words_of(row) -> dict[str, object]:
    name, at = row.order_id, NOON + S
    heard = (Segment(start=at, end=at + 2 * S, position_s=0.0),)
    return {
        "received": Received(report_id="b-1", claim_id=name, at=at, message_id=name),
        "started": Started(report_id="b-2", claim_id=name, at=at),
        "played": AsRun(
            report_id="b-3",
            claim_id=name,
            cluster=HERE,
            at=at + 2 * S,
            outcome=Outcome.PLAYED,
            segments=heard,
        ),
        "cut": AsRun(
            report_id="b-4",
            claim_id=name,
            cluster=HERE,
            at=at + 2 * S,
            outcome=Outcome.CUT,
            reason="preempted:tin-1",
            segments=heard,
        ),
        "busy": Refused(report_id="b-5", at=at, topic="t", reason=Refusal.BUSY, message_id=name),
        "replayed": Refused(
            report_id="b-6", at=at, topic="t", reason=Refusal.REPLAYED, message_id=name
        ),
        "done": Done(report_id="b-7", claim_id=name, at=at, detail="lamps"),
    }


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), (Standing.SENT, "")),
        (("received",), (Standing.RECEIVED, "")),
        (("received", "started"), (Standing.SOUNDING, "")),
        (("received", "started", "played"), (Standing.DONE, "")),
        (("played", "started", "received", "played"), (Standing.DONE, "")),
        (("received", "cut"), (Standing.FAILED, "preempted:tin-1")),
        (("busy",), (Standing.REFUSED, "refused:busy")),
        (("replayed", "received"), (Standing.RECEIVED, "")),
        (("busy", "received", "played"), (Standing.DONE, "")),
        (("played", "busy"), (Standing.DONE, "")),
        (("done", "received"), (Standing.DONE, "lamps")),
    ],
)
@pytest.mark.usefixtures("node")
def test_answers_come_to_the_same_in_any_order_and_twice(province, words, expected):
    row = order(province, "quiet")
    told = words_of(row)
    province.hear(NODE, *(told[word] for word in words), *(told[word] for word in words))
    assert stands(province, row) == expected


@pytest.mark.usefixtures("node")
def test_another_node_answers_for_nobody_but_itself(province):
    province.commission("xa-1-c2")
    row = order(province, "identify")
    province.hear("n-xa-1-c2", words_of(row)["done"])
    assert stands(province, row)[0] is Standing.SENT


@pytest.mark.usefixtures("node")
def test_who_has_not_answered_is_named_after_a_while_and_may_still_answer(province):
    row = order(province, "identify")
    assert stands(province, row, now=NOON + ANSWERED_WITHIN - S)[0] is Standing.SENT
    assert stands(province, row, now=NOON + ANSWERED_WITHIN)[0] is Standing.NO_ANSWER
    province.hear(NODE, words_of(row)["done"], now=NOON + 2 * ANSWERED_WITHIN)
    assert stands(province, row, now=NOON + 2 * ANSWERED_WITHIN)[0] is Standing.DONE


def here(version: int = 0) -> Presence:
    return Presence(node=NODE, state=PresenceState.HERE, at=NOON, config_version=version)


@pytest.mark.usefixtures("node")
def test_an_order_is_sent_again_byte_for_byte_until_it_is_answered_or_over(province):
    province.hear(NODE, here())
    row = order(province, "restart")
    first = sent(province).payload
    assert province.run(upkeep.resend_due, now=NOON + S) == 0
    assert province.run(upkeep.resend_due, now=NOON + 3 * S) == 1
    assert [one.payload for one in province.posted(f"{NODE}/in/order")] == [first, first]
    province.hear(NODE, words_of(row)["received"])
    assert province.run(upkeep.resend_due, now=NOON + 30 * S) == 0
    late = order(province, "restart", now=NOON + 31 * S)
    assert province.run(upkeep.resend_due, now=late.expires_at) == 0
    assert province.rows(UpkeepRow, order_id=late.order_id)[0].next_attempt_at is None


@pytest.mark.usefixtures("node")
def test_a_volume_lasts_stands_in_the_configuration_and_is_done_once_the_node_holds_it(province):
    row = order(province, "volume", volume_db=-12.0)
    config = province.said(f"{NODE}/in/config")[-1].msg
    assert config.volume_ceiling_db == -12.0
    assert province.rows(ClusterRow, cluster_id=HERE)[0].volume_ceiling_db == -12.0
    province.hear(NODE, here(config.version - 1))
    province.run(upkeep.resend_due, now=NOON + 90 * S)
    assert stands(province, row, now=NOON + 90 * S)[0] is Standing.NO_ANSWER
    province.hear(NODE, here(config.version))
    assert province.run(upkeep.resend_due, now=NOON + 120 * S) == 1
    assert stands(province, row, now=NOON + 120 * S)[0] is Standing.DONE
    assert province.posted(f"{NODE}/in/order") == []


@pytest.mark.usefixtures("node")
def test_a_delay_stands_in_the_configuration_in_seconds_and_leaves_the_volume_as_it_is(province):
    order(province, "volume", volume_db=-12.0)
    row = order(province, "delay", delay_ms=250)
    config = province.said(f"{NODE}/in/config")[-1].msg
    assert (config.delay_s, config.volume_ceiling_db) == (0.25, -12.0)
    province.hear(NODE, here(config.version))
    province.run(upkeep.resend_due, now=NOON + 3 * S)
    assert stands(province, row)[0] is Standing.DONE


@pytest.mark.usefixtures("node")
def test_the_record_of_a_test_sound_belongs_to_the_unit_that_ordered_it(province):
    row = order(province, "quiet")
    province.hear(NODE, words_of(row)["played"])
    record = province.as_run(row.order_id)[HERE]
    assert (record.unit_id, record.outcome) == ("xa-1", "played")


OFFICER = Actor("can-bo", (Grant(Role.COMMUNE_OFFICER, "xa-1"),))


@pytest.mark.parametrize(
    ("asked", "away_s"),
    [
        ({"talk": "cut-off", "away_min": 15, "talk_s": 90}, 900.0),
        ({"talk": "always", "talk_s": 90}, 0.0),
    ],
)
@pytest.mark.usefixtures("node")
def test_a_talk_key_is_allowed_by_the_signed_configuration_with_the_chime_that_nodes_keep(
    province, asked, away_s
):
    assert province.said(f"{NODE}/in/config")[-1].msg.talk_key is None
    row = order(province, "talk", actor=OFFICER, **asked)
    config = province.said(f"{NODE}/in/config")[-1].msg
    assert config.talk_key == TalkKey(away_s=away_s, most_s=90.0, opening=CHIME)
    assert config.talk_key.opening in config.pinned
    (done,) = province.rows(AuditRow, action="upkeep-talk")
    assert (done.subject, done.actor) == (HERE, "can-bo")
    province.hear(NODE, here(config.version))
    province.run(upkeep.resend_due, now=NOON + 3 * S)
    assert stands(province, row)[0] is Standing.DONE
    order(province, "talk", actor=OFFICER, talk="never")
    assert province.said(f"{NODE}/in/config")[-1].msg.talk_key is None
    # What was set stands in the form again.
    assert province.rows(ClusterRow, cluster_id=HERE)[0].talk_most_s == 90


@pytest.mark.usefixtures("node")
def test_a_talk_key_is_allowed_by_whoever_may_announce_emergencies_there_and_nobody_else(province):
    for actor in (TECHNICIAN, Actor("la", (Grant(Role.COMMUNE_OFFICER, "xa-2"),))):
        with pytest.raises(NotAllowedError):
            order(province, "talk", actor=actor, talk="always", talk_s=60)
    assert province.rows(ClusterRow, cluster_id=HERE)[0].talk_away_min is None
    assert province.rows(AuditRow, action="upkeep-talk") == []


@pytest.mark.parametrize(
    ("asked", "codes"),
    [
        ({}, ["bad-talk"]),
        ({"talk": "sometimes"}, ["bad-talk"]),
        ({"talk": "always"}, ["bad-talk-length"]),
        ({"talk": "always", "talk_s": 9}, ["bad-talk-length"]),
        ({"talk": "always", "talk_s": 901}, ["bad-talk-length"]),
        ({"talk": "cut-off"}, ["bad-away", "bad-talk-length"]),
        ({"talk": "cut-off", "away_min": 0, "talk_s": 60}, ["bad-away"]),
        ({"talk": "cut-off", "away_min": 1441, "talk_s": 60}, ["bad-away"]),
    ],
)
@pytest.mark.usefixtures("node")
def test_what_a_talk_key_cannot_be_is_refused_and_leaves_it_as_it_was(province, asked, codes):
    assert refused(province, "talk", actor=OFFICER, **asked) == codes
    assert province.said(f"{NODE}/in/config")[-1].msg.talk_key is None


def a_talk_record(name, **facts: object) -> AsRun:
    return AsRun(report_id=f"r-{name}", claim_id=name, cluster=HERE, at=NOON + 30 * S, **facts)


@pytest.mark.usefixtures("node")
def test_what_was_spoken_at_the_box_is_on_record_with_its_unit_and_so_is_a_refused_press(province):
    heard = (Segment(start=NOON, end=NOON + 25 * S, position_s=3.0),)
    province.hear(NODE, Started(report_id="r-1", claim_id="nt-1", at=NOON))
    assert province.run(monitoring.titles_of, claims={"nt-1"})["nt-1"][0] == TALK_TITLE
    spoken = a_talk_record("nt-1", outcome=Outcome.PLAYED, segments=heard)
    refused = a_talk_record("nt-2", outcome=Outcome.MISSED, reason="talk-not-armed")
    province.hear(NODE, spoken, refused, spoken)
    first, second = (province.as_run(name)[HERE] for name in ("nt-1", "nt-2"))
    assert (first.unit_id, first.outcome, first.start) == ("xa-1", "played", NOON)
    assert (second.unit_id, second.reason, second.start) == ("xa-1", "talk-not-armed", None)
