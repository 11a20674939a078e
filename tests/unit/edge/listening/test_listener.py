"""What is sent and what is heard come together by the monotonic clock."""

import threading
from datetime import timedelta
from queue import SimpleQueue

import numpy as np
import pytest

from edge.errors import BadSettingError
from edge.listening.chirp import LEVEL_DB, chirp
from edge.listening.ear import PIECE, recorder
from edge.listening.frames import FRAME, FRAMES_PER_S, RATE_HZ
from edge.listening.listener import MICROPHONE_LOST, UNORDERED, Listener
from edge.listening.tap import TappedOutput
from edge.listening.tone import Loudspeaker
from edge.listening.track import Track
from edge.player.fake import FakePlayer
from edge.settings import ListeningInput
from protocol.messages import AsRun, Outcome, Segment, SoundVerdict
from tests.factories.claims import CLUSTER, NOON
from tests.factories.hearing import in_the_village, late, level, pink, speech

BOOT_S = 1000.0


class Card:
    """An output that sounds a tenth of a second after it was given something."""

    underruns = 0

    def write(self, block):
        self.last = block

    def delay_s(self):
        return 0.1

    def rest(self, _wake, _at_most_s):
        return 960

    def close(self):
        self.closed = True


class Amplifier:
    def __init__(self):
        self.words = []

    def power(self, *, on):
        self.words.append(on)


class Room:
    """A node that plays and hears, in a time of its own."""

    def __init__(self, path, **setup: object):
        self.now_s = BOOT_S
        self.output = TappedOutput(Card(), lambda: self.now_s)
        boring = {"input": "pulse", "gain_db": None, "unordered_db": -35.0}
        self.player = FakePlayer(SimpleQueue())
        self.amplifier = Amplifier()
        self.listener = Listener(
            ListeningInput(**{**boring, **setup}),
            self.output,
            Loudspeaker("nut-1", self.player, self.amplifier),
            path,
            lambda: self.now_s,
        )

    def live(self, sent, heard):
        """Let as much time pass as the sounds last."""
        for place in range(0, len(sent) - PIECE + 1, PIECE):
            for number in range(PIECE // FRAME):
                piece = sent[place + number * FRAME : place + (number + 1) * FRAME]
                self.output.delay_s()
                self.output.write(np.rint(np.repeat(piece, 6) * 32767).astype(np.int16))
                self.now_s += FRAME / RATE_HZ
            at_s = self.now_s - PIECE / RATE_HZ
            self.listener.hear(at_s, heard[place : place + PIECE])

    def wait(self, seconds, heard_dbfs=-80.0):
        count = round(seconds * RATE_HZ)
        self.live(np.zeros(count, np.float32), level(pink(seconds), heard_dbfs))

    def play(self, gain, seconds=12.0, seed=1):
        """Play speech, hear it, and give its record."""
        self.wait(3)
        sent = level(speech(seconds, seed), -20.0)
        self.live(sent, late(in_the_village(sent), 0.4) * gain + level(pink(seconds), -75.0))
        return self.listener.attested(self.record(seconds), self.wall)

    @property
    def wall(self):
        return NOON + timedelta(seconds=self.now_s - BOOT_S)

    def record(self, seconds):
        end = self.wall + timedelta(seconds=0.1)
        part = Segment(start=end - timedelta(seconds=seconds), end=end, position_s=0.0)
        return AsRun(
            report_id="-",
            claim_id="tin-1",
            cluster=CLUSTER,
            at=end,
            outcome=Outcome.PLAYED,
            segments=(part,),
        )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "listening.json"


@pytest.fixture
def room(path):
    return Room(path)


def test_a_record_says_how_its_claim_was_heard(room):
    proof = room.play(0.1).proof
    assert proof.verdict is SoundVerdict.HEARD
    # What sounds a tenth of a second after it was written is heard 0.4 s after it was written.
    assert proof.delay_s == pytest.approx(0.3, abs=0.05)
    assert proof.level_dbfs - proof.sent_dbfs == pytest.approx(-20, abs=2.5)
    assert room.listener.standing == frozenset()


def test_a_claim_that_never_sounded_has_no_proof(room):
    record = AsRun(
        report_id="-", claim_id="tin-1", cluster=CLUSTER, at=NOON, outcome=Outcome.MISSED
    )
    assert room.listener.attested(record, room.wall) is record


def test_a_place_is_learned_and_a_horn_that_falls_silent_is_told_until_it_sounds(room, path):
    for seed in range(5):
        room.play(0.1, 5.0, seed=seed)
    assert room.play(0.02).proof.verdict is SoundVerdict.TOO_QUIET
    assert room.listener.standing == {"too-quiet"}
    assert room.play(0.0).proof.verdict is SoundVerdict.SILENT_HORN
    assert room.listener.standing == {"silent-horn"}
    again = Room(path)
    assert again.listener.standing == {"silent-horn"}
    assert again.play(0.1).proof.verdict is SoundVerdict.HEARD
    assert again.listener.standing == frozenset()


def test_sound_without_an_order_is_told_and_what_was_ordered_is_not(room):
    room.play(0.1)
    room.live(np.zeros(8 * RATE_HZ, np.float32), level(speech(8), -20.0))
    assert UNORDERED not in room.listener.standing
    room.live(np.zeros(8 * RATE_HZ, np.float32), level(speech(8), -20.0))
    assert UNORDERED in room.listener.standing
    room.wait(16)
    assert room.listener.standing == frozenset()


def hear_tone(room, gain, noise_dbfs=-70.0):
    """Let a tone sound 0.25 s late, and have it looked for."""
    room.wait(1)
    began = room.wall
    heard = late(np.concatenate([chirp(), np.zeros(3 * RATE_HZ, np.float32)]), 0.25) * gain
    room.live(np.zeros_like(heard), heard + level(pink(4), noise_dbfs))
    room.listener.hear_tone(began, room.wall)
    return room.listener.tone


def test_a_tone_is_heard_late_and_quietly_and_remembered(room, path):
    tone = hear_tone(room, 0.01, noise_dbfs=-45.0)
    assert (tone.verdict, tone.delay_s) == (SoundVerdict.HEARD, pytest.approx(0.25, abs=0.002))
    assert tone.level_dbfs == pytest.approx(LEVEL_DB - 40, abs=1.0)
    assert Room(path).listener.tone == tone


def test_a_tone_that_is_not_heard_is_told_until_one_is(room):
    assert hear_tone(room, 0.0).verdict is SoundVerdict.SILENT_HORN
    assert room.listener.standing == {"silent-horn"}
    assert hear_tone(room, 0.01).verdict is SoundVerdict.HEARD
    assert room.listener.standing == frozenset()


def test_a_tone_that_noise_may_have_covered_says_nothing_of_the_horn(path):
    room = Room(path, gain_db=-40.0)
    assert hear_tone(room, 0.0, noise_dbfs=-20.0).verdict is SoundVerdict.UNCLEAR
    assert room.listener.standing == frozenset()


def test_a_tone_while_nobody_listened_says_nothing_of_the_horn(room):
    room.wait(1)
    room.now_s += 10
    room.listener.hear_tone(room.wall - timedelta(seconds=5), room.wall)
    assert room.listener.tone.verdict is SoundVerdict.UNCLEAR


def test_a_microphone_that_gives_nothing_is_told(room):
    room.wait(1)
    room.now_s += 31
    assert room.listener.standing == {MICROPHONE_LOST}
    room.wait(1)
    assert room.listener.standing == frozenset()


def test_a_track_goes_on_where_it_ended_and_knows_nothing_of_what_lies_between():
    track = Track(1, -1.0)
    track.put(10.0, np.ones(5, np.float32))
    track.put(10.0 + 5.4 / FRAMES_PER_S, np.full(5, 2.0, np.float32))
    assert list(track.take(499, 512)) == [-1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, -1, -1]
    track.put(10.4, np.full(2, 3.0, np.float32))
    assert list(track.take(508, 524)) == [2, 2, *[-1] * 10, 3, 3, -1, -1]
    track.put(12.0, np.full(80, 4.0, np.float32))
    assert list(track.take(520, 524)) == [-1] * 4
    assert list(track.take(628, 632)) == [-1, -1, 4, 4]
    track.put(11.0, np.full(2, 5.0, np.float32))
    assert list(track.take(679, 681)) == [4, -1]


def test_the_tap_passes_on_all_that_is_asked_of_the_output():
    card = Card()
    tapped = TappedOutput(card)
    block = np.ones(960, np.int16)
    tapped.write(block)
    assert card.last is block
    assert (tapped.rest(threading.Event(), 1.0), tapped.underruns) == (960, 0)
    tapped.close()
    assert card.closed
    # Nobody has asked for the delay yet, so nobody knows when it sounds.
    assert list(tapped.take()) == []


@pytest.mark.parametrize("source", ["", "line-in", "wav:x", "ALSA"])
def test_an_ear_that_is_none_is_refused(source):
    with pytest.raises(BadSettingError):
        recorder(source)


def test_a_recorder_is_named_with_its_device():
    assert recorder("alsa:plughw:1,0")[-2:] == ("-D", "plughw:1,0")
    assert recorder("pulse:loa.monitor")[-1] == "--device=loa.monitor"
    assert recorder("alsa")[0] == "arecord"
