"""The agent's loop with a fake player: what explodes, what dies, and who notices."""

import json
import sqlite3
import sys
import threading
import time
from base64 import urlsafe_b64decode
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from gpiozero.pins.mock import MockFactory
from jwt import PyJWS
from msgspec.structs import replace

from edge.agent import Agent, state_paths
from edge.cache import Cache
from edge.clock import Clock
from edge.delay import Delay
from edge.errors import ThreadDiedError
from edge.fetch import Fetcher
from edge.gpio.amplifier import AmplifierRelay
from edge.gpio.box import Box
from edge.health import Health
from edge.inbox import Inbox
from edge.intake import MOST_PUT_OFF
from edge.link import Delivery, Identity, Link
from edge.live import LiveDesk
from edge.machine import Machine
from edge.parts import Parts, Stop
from edge.player import Microphone
from edge.player.fake import FakePlayer
from edge.schedule import Holdings
from edge.settings import Board, Contact, Endpoint, Lamp, NodeSettings, SilenceKey, TalkInput
from edge.store import Store
from edge.talk import STUCK, TalkDesk
from edge.timekeeping import Reading
from edge.watchdog import Watchdog
from protocol.chain import NOTHING_BEFORE
from protocol.errors import Refusal
from protocol.ids import NodeId
from protocol.messages import (
    Alarms,
    AsRun,
    BulletinClass,
    Done,
    Outcome,
    Preempted,
    Presence,
    Received,
    Refused,
    SoundCheck,
    SoundProof,
    SoundVerdict,
    Started,
    TalkKey,
    Telemetry,
    ToneHeard,
    encode,
)
from protocol.signing import MAX_TOKEN_BYTES, audience_node
from protocol.topics import node_order, node_presence, unit_order, unit_plan
from tests.factories.claims import COMMUNE, NODE, NOON, a_content, an_asset
from tests.factories.messages import (
    COMMUNE_KEY,
    ROOT_KEY,
    a_plan,
    a_play,
    a_restart,
    a_sound_check,
    a_stop,
    an_identify,
)
from tests.factories.stations import SECRET, _fields, a_programme, an_urgent
from tests.factories.waiting import PATIENCE_S, wait_until

KEY_PIN, DOOR_PIN, LAMP_PIN, TALK_PIN = 13, 5, 22, 16
BOARD = Board(
    contacts=(Contact("door", DOOR_PIN, open_is_alarm=False),),
    silence_key=SilenceKey(KEY_PIN, minutes=10),
    talk_key=TalkInput(TALK_PIN, "alsa"),
    lamps=(Lamp("alarm", LAMP_PIN),),
)


RECORDS = """
import sys, time
while True:
    sys.stdout.buffer.write(bytes(1920))
    sys.stdout.flush()
    time.sleep(0.02)
"""
SPEAKS = (sys.executable, "-c", RECORDS)
"""Records silence for as long as it runs."""

PROOF = SoundProof(
    verdict=SoundVerdict.SILENT_HORN, sent_dbfs=-20.0, level_dbfs=-80.0, correlation=0.0
)


class Ear:
    """Hears of every claim that the horn was silent, once it has heard one."""

    def __init__(self):
        self.standing = frozenset()
        self.is_listening = False

    tone = ToneHeard(at=NOON, verdict=SoundVerdict.HEARD, level_dbfs=-54.5)

    def start(self):
        self.is_listening = True

    def look(self, _playout, now):
        self.looked_at = now

    def close(self):
        self.is_listening = False

    def attested(self, record, _now):
        self.standing = frozenset({"silent-horn"})
        return replace(record, proof=PROOF)


class Bench:
    """An agent in this process, on a thread of its own."""

    def __init__(self, folder, broker, audio, machine=None, *, may_guess=False):
        self.events = Inbox()
        self.player = FakePlayer(self.events)
        self.ear = Ear()
        root = ROOT_KEY.private.public_key()
        settings = NodeSettings(
            node=NODE,
            secret=SECRET,
            root_key=root.public_bytes_raw(),
            mqtt=(Endpoint("127.0.0.1", broker.port, tls=False, mqtt5=True),),
            audio=(audio.base,),
            state_dir=folder,
            board=BOARD,
            schedule_without_clock=may_guess,
        )
        self.pins = MockFactory()
        database, files = state_paths(folder)
        self.cache = Cache(files)
        self.amplifier = AmplifierRelay(Board())
        self.database = database
        self.error = None
        self.is_to_start_again = None
        self.delay = Delay(time.time)
        self._parts = {
            "events": self.events,
            "cache": self.cache,
            "player": self.player,
            "amplifier": self.amplifier,
            "box": Box(BOARD, self.events.put, self.pins),
            "live": LiveDesk(self.events.put),
            "talk": TalkDesk(BOARD.talk_key, BOARD.lead_s, time.monotonic, lambda _source: SPEAKS),
            "link": Link(
                Identity(NODE, SECRET, node_presence(NODE), b"{}"), settings.mqtt, self.events.put
            ),
            "fetcher": Fetcher(self.cache, NODE, SECRET, self.events.put),
            "watchdog": Watchdog(""),
            "clock": Clock(machine or Machine(), folder / "clock.json"),
            "delay": self.delay,
            "health": Health(folder, "boot-1"),
            "listening": self.ear,
            "equipment": BOARD.equipment,
        }
        self.talk = self._parts["talk"]
        self.listen = self.talk.speech
        self._thread = threading.Thread(target=self._run, args=(settings, database))
        self._thread.start()

    def _run(self, settings, database):
        # The store belongs to the thread that opens it.
        parts = Parts(store=Store(database), **self._parts)
        root = Ed25519PublicKey.from_public_bytes(settings.root_key)
        try:
            self.is_to_start_again = Agent(settings, Holdings(settings.node, root), parts).run()
        except ThreadDiedError as error:
            self.error = error

    def is_running(self):
        return self._thread.is_alive()

    def close(self):
        self.events.put(Stop())
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


@pytest.fixture
def bench(tmp_path, broker, audio, station):
    running = Bench(tmp_path / "state", broker, audio)
    station.configure()
    station.hears(Presence, config_version=1, equipment=BOARD.equipment)
    yield running
    running.close()


def test_an_event_that_explodes_does_not_stop_the_next(station, bench):
    # A payload that is no bytes breaks the handler in a way that no rule foresees.
    bench.events.put(Delivery("loa/1/unit/xa-1/order", "no bytes"))
    station.play(an_urgent(_speech(), _soon()))
    assert station.hears(Received, claim_id="khan-1")
    assert bench.is_running()


def test_a_player_that_died_takes_the_program_with_it(bench):
    bench.player.die("the device is gone")
    wait_until(lambda: not bench.is_running())
    assert bench.error.name == "player"


def test_a_bad_message_is_refused_and_reported_while_what_plays_goes_on(station, bench, audio):
    speech = audio.add(b"not really sound", 30.0)
    station.play(an_urgent(speech, _soon()))
    wait_until(lambda: bench.player.waiting)
    bench.player.start(datetime.now(UTC))
    station.hears(Started, claim_id="khan-1")
    station.publish(f"loa/1/unit/{COMMUNE}/order", b"rubbish")
    assert station.hears(Refused).reason == "garbled"
    assert bench.player.sounding is not None
    wait_until(lambda: bench.amplifier.is_on)


def last_alarms(station) -> list[tuple[str, ...]]:
    return [word.standing for word in station.heard(Alarms)][-2:]


def test_an_opened_box_is_reported_once_and_the_lamp_tells_whoever_stands_there(station, bench):
    assert station.hears(Alarms).standing == ()
    door, lamp = bench.pins.pin(DOOR_PIN), bench.pins.pin(LAMP_PIN)
    door.drive_low()
    station.hears(Alarms, standing=("door",))
    wait_until(lambda: lamp.state)
    door.drive_high()
    wait_until(lambda: not lamp.state)
    wait_until(lambda: last_alarms(station) == [("door",), ()])


def test_the_silence_key_silences_until_it_is_pressed_again(station, bench, audio):
    speech = audio.add(b"not really sound", 30.0)
    station.play(an_urgent(speech, _soon(), bulletin_class=BulletinClass.PRIORITY))
    wait_until(lambda: bench.player.waiting)
    bench.player.start(datetime.now(UTC))
    station.hears(Started, claim_id="khan-1")
    key = bench.pins.pin(KEY_PIN)
    key.drive_low()
    station.hears(Alarms, standing=("silenced",))
    wait_until(lambda: bench.player.sounding is None)
    key.drive_high()
    key.drive_low()
    wait_until(lambda: bench.player.waiting)
    wait_until(
        lambda: [word.standing for word in station.heard(Alarms)][-2:] == [("silenced",), ()]
    )


def test_a_real_emergency_is_heard_where_somebody_pressed_the_silence_key(station, bench, audio):
    bench.pins.pin(KEY_PIN).drive_low()
    station.hears(Alarms, standing=("silenced",))
    station.play(an_urgent(audio.add(b"not really sound", 30.0), _soon()))
    wait_until(lambda: bench.player.waiting)


def has_microphone(sound) -> bool:
    return sound is not None and isinstance(sound.pieces[-1], Microphone)


def speaks(station, bench):
    """Press the talk key where that is allowed, until somebody is heard; give the claim's name."""
    bench.pins.pin(TALK_PIN).drive_low()
    wait_until(lambda: has_microphone(bench.player.waiting))
    bench.player.start(bench.player.waiting.begins)
    told = station.hears(Started, claim_id=bench.player.sounding.claim_id.partition("/")[2])
    # A device tells of a first sample while that is still in its buffer.
    wait_until(lambda: datetime.now(UTC) > told.at)
    return told


def test_a_talk_key_that_nobody_has_allowed_does_nothing_and_is_on_record_once(station, bench):
    key = bench.pins.pin(TALK_PIN)
    for _ in range(3):
        key.drive_low()
        wait_until(bench.events.empty)
        key.drive_high()
    record = station.hears(AsRun, reason="talk-not-armed")
    assert (record.outcome, record.segments) == (Outcome.MISSED, ())
    assert record.link is not None
    assert bench.player.cues == []
    assert not bench.amplifier.is_on
    assert len(station.heard(AsRun)) == 1


def test_whoever_holds_the_talk_key_is_heard_over_a_programme_which_returns(station, bench, audio):
    station.configure(version=2, talk_key=TalkKey(away_s=0.0, most_s=60.0))
    station.hears(Presence, config_version=2)
    song = audio.add(b"not really sound", 30.0)
    station.plan(a_programme(song, datetime.now(UTC) - timedelta(seconds=1)))
    wait_until(lambda: bench.player.waiting)
    bench.player.start(datetime.now(UTC))
    station.hears(Started, claim_id="tin-1")
    told = speaks(station, bench)
    assert station.hears(Preempted, claim_id="tin-1").by == told.claim_id
    assert bench.amplifier.is_on
    assert bench.listen(bench.player.sounding.claim_id) is not None
    wait_until(lambda: datetime.now(UTC) > told.at + timedelta(seconds=1))
    bench.pins.pin(TALK_PIN).drive_high()
    record = station.final(told.claim_id)
    assert record.outcome is Outcome.PLAYED
    (segment,) = record.segments
    assert timedelta(seconds=1) < segment.end - segment.start
    assert segment.end <= datetime.now(UTC)
    wait_until(lambda: bench.player.waiting and "tin-1" in bench.player.waiting.claim_id)
    assert bench.listen(f"{COMMUNE}/{told.claim_id}") is None


def test_where_the_network_must_be_gone_the_talk_key_waits_for_that(station, bench, broker):
    station.configure(version=2, talk_key=TalkKey(away_s=0.5, most_s=60.0))
    station.hears(Presence, config_version=2)
    key = bench.pins.pin(TALK_PIN)
    key.drive_low()
    assert station.hears(AsRun).reason == "talk-network-here"
    key.drive_high()
    broker.kill()
    wait_until(lambda: bench.talk.away_s > 0.5)
    key.drive_low()
    wait_until(lambda: has_microphone(bench.player.waiting))


def test_an_emergency_that_comes_cuts_whoever_speaks_at_the_box(station, bench, audio):
    station.configure(version=2, talk_key=TalkKey(away_s=0.0, most_s=60.0))
    station.hears(Presence, config_version=2)
    told = speaks(station, bench)
    station.play(an_urgent(audio.add(b"not really sound", 30.0), _soon()))
    assert station.hears(Preempted, claim_id=told.claim_id).by == "khan-1"


def test_what_is_spoken_ends_when_a_new_configuration_forbids_it(station, bench):
    station.configure(version=2, talk_key=TalkKey(away_s=0.0, most_s=60.0))
    station.hears(Presence, config_version=2)
    told = speaks(station, bench)
    station.configure(version=3)
    record = station.final(told.claim_id)
    assert (record.outcome, record.reason) == (Outcome.CUT, "withdrawn")
    wait_until(lambda: bench.player.sounding is None)


@pytest.mark.slow
def test_a_talk_key_that_sticks_speaks_once_and_is_an_alarm_until_it_opens(station, bench):
    station.configure(version=2, talk_key=TalkKey(away_s=0.0, most_s=5.0))
    station.hears(Presence, config_version=2)
    told = speaks(station, bench)
    record = station.final(told.claim_id)
    assert (record.outcome, record.reason) == (Outcome.CUT, "live-too-long")
    wait_until(lambda: STUCK in last_alarms(station)[-1])
    bench.pins.pin(TALK_PIN).drive_high()
    wait_until(lambda: STUCK not in last_alarms(station)[-1])
    assert len(station.heard(AsRun)) == 1


def ordered(station, message) -> None:
    """Give an order to the one node."""
    audience = (audience_node(NODE),)
    name = message.claim.claim_id if isinstance(message, SoundCheck) else message.order_id
    expires = datetime.now(UTC) + timedelta(minutes=1)
    token = station.sign(message, audience=audience, expires=expires, message_id=name)
    station.publish(node_order(NodeId(NODE)), token)


def a_check_of(speech, name: str) -> SoundCheck:
    now = datetime.now(UTC)
    times = {"issued_at": now, "start": now, "end": now + timedelta(seconds=40)}
    return a_sound_check(claim_id=name, content=a_content(items=(speech,)), **times)


def test_a_test_sound_sounds_and_a_second_one_meanwhile_is_refused_each_by_name(
    station, bench, audio
):
    speech = audio.add(b"not really sound", 3.0)
    ordered(station, a_check_of(speech, "kt-a"))
    station.hears(Received, claim_id="kt-a")
    wait_until(lambda: bench.player.waiting)
    bench.player.start(datetime.now(UTC))
    station.hears(Started, claim_id="kt-a")
    for name in ("kt-b", "kt-c"):
        ordered(station, a_check_of(speech, name))
        assert station.hears(Refused, message_id=name).reason is Refusal.BUSY
    bench.player.finish(datetime.now(UTC) + timedelta(seconds=3))
    assert station.final("kt-a").outcome is Outcome.PLAYED
    assert not station.heard(AsRun, claim_id="kt-b")


def test_a_cluster_sounds_as_late_as_its_newest_configuration_says(station, bench):
    assert bench.delay.lasts_s == 0.0
    station.configure(version=2, delay_s=0.25)
    station.hears(Presence, config_version=2)
    assert bench.delay.lasts_s == 0.25
    assert time.time() - bench.delay.now_s() == pytest.approx(0.25, abs=0.05)


def test_the_lamp_blinks_for_whoever_looks_for_the_box(station, bench):
    ordered(station, an_identify())
    assert station.hears(Done, claim_id="kt-2").detail == "lamps"
    lamp = bench.pins.pin(LAMP_PIN)
    for lit in (1, 0, 1):
        wait_until(lambda lit=lit: lamp.state == lit)


def test_a_restart_waits_for_what_sounds_loses_nothing_and_is_told_of_once(
    station, broker, audio, tmp_path
):
    station.acknowledges = False
    folder = tmp_path / "restarts"
    first = Bench(folder, broker, audio)
    station.configure()
    station.hears(Presence, config_version=1)
    ordered(station, a_check_of(audio.add(b"not really sound", 3.0), "kt-a"))
    wait_until(lambda: first.player.waiting)
    first.player.start(datetime.now(UTC))
    station.hears(Started, claim_id="kt-a")
    ordered(station, a_restart())
    station.hears(Received, claim_id="kt-3")
    assert first.is_running()
    first.player.finish(datetime.now(UTC) + timedelta(seconds=3))
    wait_until(lambda: not first.is_running())
    assert first.is_to_start_again
    assert not station.heard(Done)
    station.words.clear()
    for again in (True, False):
        with closing(Bench(folder, broker, audio)) as later:
            station.hears(Done, claim_id="kt-3")
            # All that was never acknowledged is said again.
            station.hears(Received, claim_id="kt-a")
            station.hears(AsRun, claim_id="kt-a")
            assert len({word.report_id for word in station.heard(Done)}) == 1
            assert later.is_running() or again


def test_what_was_heard_is_told_in_the_record_and_what_is_amiss_among_the_alarms(
    station, bench, audio
):
    assert bench.ear.is_listening
    station.play(an_urgent(audio.add(b"not really sound", 30.0), _soon()))
    wait_until(lambda: bench.player.waiting)
    bench.player.start(datetime.now(UTC))
    station.hears(Started, claim_id="khan-1")
    station.order(a_stop(until=_soon() + timedelta(hours=1)))
    record = station.hears(AsRun)
    assert record.proof == PROOF
    assert (record.link.number, record.link.previous) == (1, NOTHING_BEFORE)
    station.hears(Alarms, standing=("silent-horn",))
    wait_until(lambda: [word for word in station.heard(Telemetry) if word.tone == bench.ear.tone])
    bench.close()
    assert not bench.ear.is_listening


@pytest.mark.usefixtures("bench")
def test_a_repeated_order_is_answered_again_until_the_answer_is_acknowledged(station):
    station.acknowledges = False
    token = station.play(an_urgent(_speech(), _soon()))
    first = station.hears(Received, claim_id="khan-1")
    station.publish(f"loa/1/unit/{COMMUNE}/order", token)
    wait_until(lambda: len(station.heard(Received)) == 2)
    assert station.heard(Received)[1] == first
    assert not station.heard(Refused)
    station.acknowledge(first.report_id)
    station.publish(f"loa/1/unit/{COMMUNE}/order", token)
    assert station.hears(Refused).reason == "replayed"


@pytest.mark.usefixtures("bench")
def test_a_new_plan_is_told_of_at_once_and_told_again_when_the_server_sends_it_again(station):
    station.plan(version=1)
    station.hears(Presence, plan_versions={COMMUNE: 1})
    station.plan(version=2)
    wait_until(lambda: {COMMUNE: 2} in _told_versions(station))
    before = len(_told_versions(station))
    station.plan(version=2)
    wait_until(lambda: len(_told_versions(station)) > before)
    assert _told_versions(station)[-1] == {COMMUNE: 2}


def _told_versions(station):
    return [word.plan_versions for word in station.heard(Presence)]


def test_a_damaged_file_is_fetched_again(station, bench, audio):
    speech = audio.add(b"not really sound", 30.0)
    station.play(an_urgent(speech, _soon()))
    wait_until(lambda: bench.player.waiting)
    bench.player.start(datetime.now(UTC))
    path = bench.cache.path(speech.digest)
    path.write_bytes(b"gone bad on disk")
    bench.player.damage(path, "no sound in it")
    wait_until(lambda: len(audio.requests) == 2)
    wait_until(path.exists)
    assert path.read_bytes() == b"not really sound"


def test_reports_made_without_a_broker_arrive_when_it_is_back(station, broker, bench, audio):
    speech = audio.add(b"not really sound", 2.0)
    station.play(an_urgent(speech, _soon()))
    wait_until(lambda: bench.player.waiting)
    broker.kill()
    began = datetime.now(UTC)
    bench.player.start(began)
    bench.player.finish(began + timedelta(seconds=2))
    broker.start()
    record = station.final("khan-1")
    assert record.outcome is Outcome.PLAYED
    assert len({word.report_id for word in station.heard(AsRun)}) == 1


def _soon():
    return datetime.now(UTC) + timedelta(seconds=0.3)


def _speech():

    return an_asset("speech", duration_s=2.0)


LONG_AGO = timedelta(days=100)


@pytest.fixture
def lost(tmp_path, broker, audio, station):
    """An agent whose board has booted with a clock of long ago; nobody tells it the time."""
    station.tells_time = False
    station.configure()
    machine = PassingMachine((datetime.now(UTC) - LONG_AGO).timestamp())
    running = Bench(tmp_path / "state", broker, audio, machine)
    station.hears(Presence, config_version=1)
    yield running
    running.close()


class PassingMachine:
    """A machine whose clock was set wrong, and goes on."""

    boot_id = "boot-1"
    has_battery = False

    def __init__(self, wall_s):
        self._ticks = Machine()
        self._delta_s = wall_s - self.ticks_s()

    def ticks_s(self):
        return self._ticks.ticks_s()

    def read(self):
        return Reading(self.ticks_s() + self._delta_s, self.ticks_s())


def test_a_node_with_a_clock_of_long_ago_says_so_and_asks_the_time(station, lost):
    asked = next(word for word in station.heard(Presence) if word.nonce)
    assert datetime.now(UTC) - asked.at > timedelta(days=99)
    assert len(asked.nonce) == 32
    station.hears(Telemetry, within_s=25, clock_trusted=False)
    assert lost.is_running()


@pytest.mark.usefixtures("lost")
def test_without_time_a_new_order_is_obeyed_and_one_of_before_waits_for_the_time(station, audio):
    speech = audio.add(b"not really sound", 2.0)
    old = an_urgent(speech, _soon() - timedelta(minutes=2), claim_id="khan-cu")
    station.play(an_urgent(speech, _soon()))
    station.hears(Received, claim_id="khan-1")
    station.order(a_play(**_fields(old)), issued_at=datetime.now(UTC) - timedelta(minutes=2))
    station.play(an_urgent(speech, _soon(), claim_id="khan-2"))
    station.hears(Received, claim_id="khan-2")
    assert not station.heard(Received, claim_id="khan-cu")
    assert not station.heard(Refused)


def test_what_waited_for_the_time_is_taken_in_when_the_clock_is_found_right(
    tmp_path, broker, audio, station
):
    station.tells_time = False
    station.configure()
    machine = PassingMachine(datetime.now(UTC).timestamp())
    bench = Bench(tmp_path / "state", broker, audio, machine, may_guess=True)
    with closing(bench):
        station.hears(Presence, config_version=1)
        speech, before = audio.add(b"not really sound", 2.0), timedelta(minutes=2)
        station.play(an_urgent(speech, _soon()))
        station.hears(Received, claim_id="khan-1")
        old = an_urgent(speech, _soon() - before, claim_id="khan-cu")
        station.order(a_play(**_fields(old)), issued_at=datetime.now(UTC) - before)
        station.play(an_urgent(speech, _soon(), claim_id="khan-2"))
        station.hears(Received, claim_id="khan-2")
        assert not station.heard(Received, claim_id="khan-cu")
        station.tells_time = True
        station.hears(Received, claim_id="khan-cu", within_s=25)


@pytest.mark.usefixtures("lost")
def test_of_more_orders_than_may_wait_for_the_time_the_oldest_is_refused(station, audio):
    speech, before = audio.add(b"not really sound", 2.0), timedelta(minutes=2)
    station.play(an_urgent(speech, _soon()))
    station.hears(Received, claim_id="khan-1")
    for number in range(MOST_PUT_OFF + 1):
        old = an_urgent(speech, _soon() - before, claim_id=f"khan-cu-{number}")
        issued_at = datetime.now(UTC) - before
        station.order(a_play(**_fields(old)), issued_at=issued_at, message_id=f"cu-{number}")
    refused = station.hears(Refused)
    assert (refused.reason, refused.message_id) == (Refusal.UNTRUSTED_CLOCK, "cu-0")


@pytest.mark.usefixtures("lost")
def test_an_order_of_before_that_comes_often_pushes_no_other_out(station, audio):
    speech = audio.add(b"not really sound", 2.0)
    station.play(an_urgent(speech, _soon()))
    station.hears(Received, claim_id="khan-1")
    old = an_urgent(speech, _soon() - timedelta(minutes=2), claim_id="khan-cu")
    then = datetime.now(UTC) - timedelta(minutes=2)
    token = station.order(a_play(**_fields(old)), issued_at=then)
    for _ in range(MOST_PUT_OFF):
        station.publish(unit_order(COMMUNE), token)
    station.play(an_urgent(speech, _soon(), claim_id="khan-2"))
    station.hears(Received, claim_id="khan-2")
    assert not station.heard(Refused)


def test_a_stop_is_remembered_by_a_node_whose_clock_is_ahead(
    tmp_path, broker, audio, station, bench
):
    station.order(a_stop(claim_id="tin-9", unit=COMMUNE, until=datetime.now(UTC) + LONG_AGO / 100))
    station.hears(Received, claim_id="tin-9")
    bench.close()
    station.tells_time = False
    machine = PassingMachine((datetime.now(UTC) + LONG_AGO).timestamp())
    ahead = Bench(tmp_path / "state", broker, audio, machine)
    soon = datetime.now(UTC) + LONG_AGO / 2
    wait_until(lambda: any(word.at > soon for word in station.heard(Presence)))
    ahead.close()
    with closing(Store(tmp_path / "state" / "node.db")) as store:
        assert "order" in {kept.kind for kept in store.tokens()}


def test_what_is_scheduled_waits_for_the_time_and_is_joined_when_it_is_told(
    station, broker, lost, audio
):
    song = audio.add(b"not really sound either", 60.0)
    station.plan(a_programme(song, datetime.now(UTC) - timedelta(seconds=5)))
    station.hears(Presence, plan_versions={COMMUNE: 1})
    wait_until(lambda: audio.requests)
    assert lost.player.waiting is None
    station.tells_time = True
    broker.kill()
    broker.start()
    cue = wait_until(lambda: lost.player.waiting)
    assert cue.claim_id == "xa-1/tin-1"
    station.hears(Telemetry, clock_trusted=True, clock_source="server")


def test_an_order_sounds_and_is_answered_though_the_disk_keeps_nothing(station, bench, audio):
    speech = audio.add(b"not really sound", 2.0)
    with closing(sqlite3.connect(bench.database)) as db, db:
        db.execute("DROP TABLE report")
    station.play(an_urgent(speech, _soon()))
    station.hears(Received, claim_id="khan-1")
    cue = wait_until(lambda: bench.player.waiting)
    # What comes after is judged with the order in mind.
    station.plan(version=1)
    station.hears(Presence, plan_versions={COMMUNE: 1})
    assert bench.player.waiting == cue
    station.hears(Telemetry, within_s=25, troubles=("disk-failing",))
    assert bench.is_running()


def test_a_plan_that_cannot_be_read_changes_nothing_and_is_told_of(station, bench, audio):
    song = audio.add(b"not really sound", 60.0)
    station.plan(a_programme(song, datetime.now(UTC) - timedelta(seconds=5)))
    station.hears(Presence, plan_versions={COMMUNE: 1})
    cue = wait_until(lambda: bench.player.waiting)
    newer = a_plan(version=2)
    payload = json.loads(encode(newer)) | {"claims": [{"kind": "hologram"}]}
    station.publish(unit_plan(COMMUNE), signed_payload(station, payload), retained=True)
    assert station.hears(Refused).reason == "garbled"
    station.publish(unit_plan(COMMUNE), b"x" * (MAX_TOKEN_BYTES + 1))
    station.hears(Refused, reason="too-large")
    station.hears(Telemetry, within_s=25, troubles=("plan-refused",))
    assert bench.player.waiting == cue
    assert station.heard(Presence)[-1].plan_versions == {COMMUNE: 1}
    station.plan(version=3)
    station.hears(Telemetry, within_s=25, troubles=())
    station.hears(Presence, plan_versions={COMMUNE: 3})


def signed_payload(station, payload):
    """Sign what no model of this version can say."""
    token = json.loads(urlsafe_b64decode(station.sign(a_plan(version=2)).split(b".")[1] + b"=="))
    body = json.dumps(token | {"msg": payload}).encode()
    headers = {"kid": COMMUNE_KEY.key_id, "typ": "JWT"}
    return PyJWS().encode(body, COMMUNE_KEY.private, algorithm="EdDSA", headers=headers).encode()
