"""What fills a slot, whom it reaches, and changing it."""

from datetime import time, timedelta

import pytest
from sqlalchemy import delete, update

from protocol.messages import Content, Relay, StartMode, Targets
from server.domain.authority import Role
from server.domain.errors import (
    NotAllowedError,
    SlotRefusedError,
    StaleError,
    UnknownThingError,
)
from server.domain.recurrence import day_bounds, local_day
from server.services import as_run, grouping, planning, scheduling
from server.store.models import AuditRow, ClusterRow, GroupMemberRow, OccurrenceRow, SlotRow
from server.store.queries import lists
from tests.factories.claims import NOON
from tests.factories.provinces import CHIME, SPEECH, a_new_slot
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR, an_actor

A_DAY = timedelta(days=1)
RELAY = {
    "content_kind": "relay",
    "relay_url": "https://dai.example/live.m3u8",
    "assets": (),
    "length_s": 600.0,
}
LIVE = {"content_kind": "live", "assets": (), "length_s": 600.0}
"""What a slot for a relay, and for somebody who goes live, are asked for with."""


def claims(province, unit: str = "xa-1"):
    return province.said(f"unit/{unit}/plan")[-1].msg.claims


def codes(province, **new: object) -> list[str]:
    with pytest.raises(SlotRefusedError) as error:
        province.add_slot(**new)
    return [finding.code for finding in error.value.findings]


def change(province, slot: SlotRow, *, version: int = 1, actor=OPERATOR, now=NOON, **new: object):
    return province.run(
        scheduling.update_slot,
        slot_id=slot.slot_id,
        new=a_new_slot(**new),
        version=version,
        now=now,
        actor=actor,
        keyring=province.keyring,
    )


def kept(province, slot: SlotRow) -> scheduling.NewSlot:
    return province.run(lambda db: scheduling.as_new(lists.slot(db, slot.slot_id)))


def test_a_list_sounds_in_its_order_as_long_as_its_files_or_as_asked(province):
    files = (CHIME.digest, SPEECH.digest, CHIME.digest)
    province.add_slot(assets=files)
    assert [item.digest for item in claims(province)[0].content.items] == list(files)
    assert claims(province)[0].end - claims(province)[0].start == timedelta(seconds=34)
    province.add_slot(assets=files, length_s=20.0, unit_id="xa-2", units=("xa-2",))
    only = claims(province, "xa-2")[0]
    assert only.end - only.start == timedelta(seconds=20)


def test_a_relay_is_pulled_and_lasts_as_long_as_the_slot(province):
    province.add_slot(**RELAY, start_mode="wait", wait_s=30.0)
    first = claims(province)[0]
    assert first.content == Content(relay=Relay(url=RELAY["relay_url"]))
    assert first.end - first.start == timedelta(minutes=10)
    assert (first.start_mode, first.wait_s) == (StartMode.WAIT, 30.0)


def test_a_live_slot_holds_its_time_and_claims_what_sounds_until_somebody_goes_live(province):
    province.add_slot(**LIVE)
    assert claims(province) == ()
    assert codes(province, local_start=time(5, 35)) == ["overlap"]
    after = day_bounds(TODAY + 2 * A_DAY)[0]
    province.run(as_run.conclude_missed, now=after)
    assert not province.rows(OccurrenceRow)
    province.add_slot(**LIVE | {"assets": (SPEECH.digest,)}, local_start=time(7))
    assert [item.digest for item in claims(province)[0].content.items] == [SPEECH.digest]


WRONG = (
    ({"content_kind": "video"}, ["bad-content-kind"]),
    (RELAY | {"length_s": None}, ["no-length"]),
    (RELAY | {"relay_url": "file:///etc/passwd"}, ["bad-relay"]),
    (RELAY | {"relay_url": "https://a b"}, ["bad-relay"]),
    (RELAY | {"assets": (SPEECH.digest,)}, ["bad-relay"]),
    ({"relay_url": "https://dai.example"}, ["relay-unused"]),
    (LIVE | {"length_s": None}, ["no-length"]),
    ({"length_s": 0.5}, ["bad-length"]),
    ({"length_s": 86_401.0}, ["bad-length"]),
    ({"assets": (SPEECH.digest,) * 501, "length_s": 60.0}, ["too-many-items"]),
    ({"start_mode": "soon"}, ["bad-start-mode"]),
    ({"wait_s": -1.0}, ["bad-wait"]),
    ({"languages": ("klingon",)}, ["bad-language"]),
    ({"languages": ("hmn",)}, ["no-target"]),
    ({"units": (), "groups": ("nobody",)}, ["unknown-target"]),
    ({"excluded_days": tuple(TODAY + n * A_DAY for n in range(1001))}, ["too-many-excluded"]),
)


def test_what_cannot_fill_a_slot_is_refused_by_name(province):
    for wrong, expected in WRONG:
        assert codes(province, **wrong) == expected, wrong
    assert not province.rows(SlotRow)


def test_it_does_not_come_on_days_left_out(province):
    left_out = (TODAY + 2 * A_DAY, TODAY + 4 * A_DAY)
    province.add_slot(excluded_days=left_out)
    days = [local_day(claim.start) for claim in claims(province)]
    assert days == [TODAY + n * A_DAY for n in (1, 3, *range(5, 14))]
    # The days left out are free for something else.
    once = {"recurrence": "once", "first_day": left_out[0]}
    assert province.add_slot(**once)
    assert codes(province, recurrence="once", first_day=TODAY + A_DAY) == ["overlap"]


def group(province, name: str, *clusters: str) -> None:
    facts = {"group_id": name, "name": name, "unit_id": "tinh", "clusters": clusters}
    province.run(grouping.create_group, **facts, now=NOON, actor=OPERATOR)


def publish(province) -> int:
    return province.run(planning.publish_due_plans, now=NOON, keyring=province.keyring)


def test_a_group_is_resolved_into_its_clusters_of_the_day(province):
    group(province, "huyen", "xa-1-c1", "xa-2-c1", "xa-2-c2")
    province.add_slot(unit_id="tinh", units=(), groups=("huyen",))
    assert claims(province, "tinh")[0].targets == Targets(units=("xa-2",), clusters=("xa-1-c1",))
    publish(province)
    with province.sessions.begin() as db:
        db.execute(delete(GroupMemberRow).where(GroupMemberRow.cluster_id == "xa-2-c2"))
    assert publish(province) == 1
    assert claims(province, "tinh")[0].targets == Targets(clusters=("xa-1-c1", "xa-2-c1"))
    assert codes(province, units=(), groups=("huyen",)) == ["out-of-scope"]


def test_only_clusters_that_speak_one_of_its_languages_are_reached(province):
    with province.sessions.begin() as db:
        spoken = update(ClusterRow).where(ClusterRow.cluster_id == "xa-1-c1")
        db.execute(spoken.values(languages=["hmn", "vi"]))
    province.add_slot(languages=("hmn", "tyz"))
    assert claims(province)[0].targets == Targets(clusters=("xa-1-c1",))
    # Where nothing is said, Vietnamese is spoken.
    province.add_slot(languages=("vi",), local_start=time(7))
    assert claims(province)[-1].targets == Targets(units=("xa-1",))
    publish(province)
    with province.sessions.begin() as db:
        db.execute(update(ClusterRow).values(languages=["hmn"]))
    assert publish(province) == 1
    assert {claim.targets for claim in claims(province)} == {Targets(units=("xa-1",)), Targets()}


def test_a_changed_slot_is_as_if_asked_for_anew_and_keeps_its_name(province):
    slot = province.add_slot()
    row = change(province, slot, title="Bản tin mới", local_start=time(6), assets=(CHIME.digest,))
    assert (row.slot_id, row.version, row.title) == (slot.slot_id, 2, "Bản tin mới")
    assert {claim.title for claim in claims(province)} == {"Bản tin mới"}
    first = claims(province)[0]
    assert first.start == day_bounds(TODAY + A_DAY)[0] + timedelta(hours=6)
    assert [item.digest for item in first.content.items] == [CHIME.digest]
    audit = province.rows(AuditRow, action="change-slot")[0]
    assert audit.detail["changed"] == ["assets", "length_s", "local_start", "title"]
    assert kept(province, slot) == a_new_slot(
        title="Bản tin mới", local_start=time(6), assets=(CHIME.digest,), length_s=2.0
    )


def test_of_two_who_change_a_slot_the_second_is_told(province):
    slot = province.add_slot()
    change(province, slot, title="Một")
    with pytest.raises(StaleError):
        change(province, slot, title="Hai")
    assert province.rows(SlotRow)[0].title == "Một"


def test_a_change_is_refused_like_a_new_slot_and_changes_nothing(province):
    slot, other = province.add_slot(), province.add_slot(local_start=time(7))
    for wrong in ({"local_start": time(7)}, {"title": ""}, {"unit_id": "xa-2", "units": ("xa-2",)}):
        with pytest.raises(SlotRefusedError):
            change(province, slot, **wrong)
    assert change(province, slot, length_s=40.0).version == 2  # it is not in its own way
    with pytest.raises(NotAllowedError):
        change(province, other, actor=an_actor(Role.VIEWER))
    province.withdraw(other)
    with pytest.raises(UnknownThingError):
        change(province, other)


def test_what_began_before_a_change_is_not_expected_at_its_new_time(province):
    slot = province.add_slot()
    at_six = day_bounds(TODAY + A_DAY)[0] + timedelta(hours=6)
    change(province, slot, now=at_six + timedelta(hours=1), local_start=time(6))
    province.run(as_run.conclude_missed, now=at_six + timedelta(hours=2))
    assert not province.rows(OccurrenceRow)


def test_asking_alone_saves_nothing(province):
    def ask(**new: object):
        facts = {"now": NOON, "actor": OPERATOR}
        return province.run(scheduling.check_slot, new=a_new_slot(**new), **facts)

    assert ask() == []
    assert not province.rows(SlotRow)
    slot = province.add_slot()
    assert [finding.code for finding in ask()] == ["overlap"]
    facts = {"now": NOON, "actor": OPERATOR, "replacing": slot.slot_id}
    assert province.run(scheduling.check_slot, new=a_new_slot(), **facts) == []


def test_a_higher_level_may_lie_over_a_lower_one_where_it_may_schedule(province):
    own = province.add_slot(title="Tin xã")
    above = {"unit_id": "tinh", "units": ("tinh",)}
    assert codes(province, **above) == ["overlap"]
    assert province.add_slot(**above, override=(own.slot_id,))
    # Never the other way round, nor among equals.
    assert codes(province, override=(own.slot_id,)) == ["overlap", "overlap"]
