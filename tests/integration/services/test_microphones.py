"""Going on air live: who may, once, until when, and what is kept."""

from dataclasses import replace
from datetime import timedelta

import pytest

from protocol.messages import ClaimKind, Play
from protocol.signing import public_text
from server.domain.authority import Role
from server.domain.errors import BroadcastRefusedError, NotAllowedError
from server.services import announced, broadcasting, microphones
from server.services.assenting import NOTHING
from server.services.microphones import MAX_LENGTH, TICKET_LIFE, Ticket
from server.store.models import AuditRow, BroadcastRow
from tests.factories.claims import NOON, at
from tests.factories.live import a_live_key
from tests.factories.provinces import CHIME, SPEECH, a_new_broadcast
from tests.factories.units import an_actor

SECRET = "the secret of the pages"  # noqa: S105 - of a test
DELAY = timedelta(seconds=1)
OFFICER = an_actor(Role.COMMUNE_OFFICER, "xa-1")


def a_speech(**overrides: object):
    return replace(a_new_broadcast(), asset_digest="", **overrides)


def on_air(province, new=None, *, key="one", actor=OFFICER, now=NOON):
    return province.run(
        microphones.go_on_air,
        ticket=Ticket(new or a_speech(), actor.name, NOTHING),
        public_key=a_live_key(key).public_key(),
        delay=DELAY,
        now=now,
        actor=actor,
        keyring=province.keyring,
    )


def codes(refused) -> list[str]:
    return [finding.code for finding in refused.value.findings]


def test_the_order_names_the_key_the_delay_and_the_longest_time(province):
    told = on_air(province)
    (order,) = {each.msg for each in province.said("/order") if isinstance(each.msg, Play)}
    claim = order.claim
    assert (claim.claim_id, claim.kind) == (told.broadcast_id, ClaimKind.LIVE)
    assert claim.content.items == ()
    assert claim.content.live.public_key == public_text(a_live_key().public_key())
    assert claim.content.live.delay_s == 1.0
    assert claim.content.live.max_length_s == MAX_LENGTH.total_seconds()
    assert claim.end > claim.start + MAX_LENGTH


def test_what_is_captured_from_its_instant_on_is_heard_right_behind_the_chime(province):
    told = on_air(province)
    with province.sessions() as db:
        row = db.get(BroadcastRow, told.broadcast_id)
        assert row.opening_digest == CHIME.digest
        assert (row.kind, row.asset_digest) == ("live", None)
        claim = announced.lasting_of(db, "xa-1", now=NOON)[0]
    opening = timedelta(seconds=claim.content.opening.duration_s)
    assert told.speak_at + DELAY == max(NOON + DELAY, claim.start + opening)


def test_a_drill_without_its_label_is_not_spoken(province):
    with pytest.raises(BroadcastRefusedError) as refused:
        on_air(province, a_speech(mode="drill"))
    assert codes(refused) == ["drill-label-missing"]


def test_whoever_speaks_to_a_drill_waits_until_it_has_said_what_it_is(province):
    province.label()
    told = on_air(province, a_speech(mode="drill"))
    before, after = told.labels
    assert told.speak_at == told.begins_at + timedelta(seconds=before.duration_s)
    (order,) = {each.msg for each in province.said("/order") if isinstance(each.msg, Play)}
    live = order.claim.content.live
    # Whoever speaks loses no time by the labels.
    labelled_s = before.duration_s + after.duration_s
    assert live.max_length_s == MAX_LENGTH.total_seconds() + labelled_s
    # Nodes that join late say it themselves.
    assert live.label == before
    assert order.claim.title.startswith("DIỄN TẬP: ")


def test_the_real_thing_has_no_label(province):
    province.label()
    told = on_air(province)
    assert (told.labels, told.speak_at) == (None, told.begins_at)


def test_a_second_microphone_to_the_same_broadcast_is_refused_and_changes_nothing(province):
    on_air(province)
    posted = len(province.posted("/order"))
    with pytest.raises(BroadcastRefusedError) as refused:
        on_air(province, key="another")
    assert codes(refused) == ["already-spoken"]
    assert len(province.posted("/order")) == posted


def test_a_request_that_was_announced_with_a_file_cannot_be_spoken_to(province):
    province.announce()
    with pytest.raises(BroadcastRefusedError) as refused:
        on_air(province)
    assert codes(refused) == ["already-spoken"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TECHNICIAN])
def test_who_may_not_announce_may_not_speak(province, role):
    with pytest.raises(NotAllowedError):
        on_air(province, actor=an_actor(role, "xa-1"))


def test_an_officer_of_another_commune_may_not_speak_here(province):
    with pytest.raises(NotAllowedError):
        on_air(province, actor=an_actor(Role.COMMUNE_OFFICER, "xa-2"))


def test_whoever_speaks_brings_no_file(province):
    with pytest.raises(BroadcastRefusedError) as refused:
        on_air(province, replace(a_new_broadcast(), asset_digest=SPEECH.digest))
    assert "audio-unused" in codes(refused)


def test_the_page_is_told_everything_that_is_wrong_before_a_microphone_is_opened(province):
    new = a_speech(title="", units=(), clusters=())
    with pytest.raises(BroadcastRefusedError) as refused:
        province.run(broadcasting.check, new=new, now=NOON, actor=OFFICER)
    assert {"bad-title", "no-target"} <= set(codes(refused))
    province.run(broadcasting.check, new=a_speech(), now=NOON, actor=OFFICER)


def test_after_the_end_nobody_is_told_of_it_any_more(province):
    told = on_air(province)
    ended = at(2)
    for _ in range(2):
        province.run(
            microphones.end, broadcast_id=told.broadcast_id, reason="spoken", delay=DELAY, now=ended
        )
    later = ended + timedelta(seconds=6)
    with province.sessions() as db:
        row = db.get(BroadcastRow, told.broadcast_id)
        assert ended < row.end <= later
        assert announced.lasting_of(db, "xa-1", now=ended)
        assert not announced.lasting_of(db, "xa-1", now=later)
        over = announced.over_by_now(db, ["xa-1"], start=NOON, end=at(60), now=later)
        (claim,) = over.claims
        assert over.stops == {("xa-1", claim.claim_id): row.end}
        for now in (NOON, ended, later):
            stretch = {"start": NOON, "end": at(60), "now": now}
            assert announced.lasting_and_over(db, ["xa-1"], **stretch) == (
                announced.lasting_by_unit(db, ["xa-1"], now=now),
                announced.over_by_now(db, ["xa-1"], **stretch),
            )
        assert db.query(AuditRow).filter_by(action="end-live").count() == 1


def test_a_stop_is_known_to_whoever_holds_the_microphone(province):
    told = on_air(province)
    with province.sessions() as db:
        assert not microphones.is_stopped(db, told.broadcast_id)
    province.stop(told)
    with province.sessions() as db:
        assert microphones.is_stopped(db, told.broadcast_id)


def test_a_ticket_says_what_was_confirmed_and_by_whom():
    new = a_speech(title="Lũ về", gain_db=-5)
    text = microphones.ticket(new, actor=OFFICER, secret=SECRET, now=NOON)
    read = microphones.read_ticket(text, secret=SECRET, now=at(1))
    assert (read.new, read.username) == (new, OFFICER.name)


@pytest.mark.parametrize(
    ("secret", "later", "code"),
    [
        ("another", timedelta(), "bad-ticket"),
        (SECRET, TICKET_LIFE, "ticket-expired"),
    ],
)
def test_a_ticket_is_good_for_a_while_and_only_where_it_was_made(secret, later, code):
    text = microphones.ticket(a_speech(), actor=OFFICER, secret=SECRET, now=NOON)
    with pytest.raises(BroadcastRefusedError) as refused:
        microphones.read_ticket(text, secret=secret, now=NOON + later)
    assert codes(refused) == [code]


@pytest.mark.parametrize("text", ["", "a.b.c", "x" * 5000])
def test_what_is_no_ticket_is_refused(text):
    with pytest.raises(BroadcastRefusedError) as refused:
        microphones.read_ticket(text, secret=SECRET, now=NOON)
    assert codes(refused) == ["bad-ticket"]
