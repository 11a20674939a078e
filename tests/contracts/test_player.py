"""What every player owes its owner: the fake in tests, and the one that sounds."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from edge.errors import (
    NaiveInstantError,
    PieceOrderError,
    PlayerClosedError,
    SoundLengthError,
)
from edge.player import Damaged, Died, Ended, Microphone, Piece, Sound, Started
from edge.player.engine import MixerPlayer
from edge.player.fake import FakePlayer
from edge.player.recording import RecordingOutput
from tests.factories.sounds import encode, noise, now

pytestmark = pytest.mark.sound


class FakeStage:
    """Drives a fake player's world as the real one's would go by itself."""

    def __init__(self, folder):
        self.events = SimpleQueue()
        self.player = FakePlayer(self.events)
        self.clip = folder / "clip.flac"

    def next_event(self):
        player = self.player
        if self.events.empty():
            if player.waiting is not None:
                self._damage_missing(player.waiting)
                player.start(max(now(), player.waiting.begins))
            elif player.sounding is not None:
                sound = player.sounding
                player.finish(sound.begins + timedelta(seconds=sound.length_s))
        return self.events.get_nowait()

    def _damage_missing(self, sound):
        for piece in sound.pieces:
            if isinstance(piece, Piece) and piece.path != self.clip:
                self.player.damage(piece.path, "no such file")

    def close(self):
        self.player.close()


class RealStage:
    """The mixer on a recording output, in real time."""

    def __init__(self, folder):
        self.events = SimpleQueue()
        self.player = MixerPlayer(RecordingOutput(folder / "heard.wav"), self.events)
        self.clip = encode(folder / "clip.flac", noise(3.0), codec="flac")

    def next_event(self):
        return self.events.get(timeout=3.0)

    def close(self):
        self.player.close()


@pytest.fixture(params=[FakeStage, RealStage])
def stage(request, tmp_path):
    stage = request.param(tmp_path)
    yield stage
    stage.close()


def a_sound(stage, *, begins=None, length_s=0.2, claim_id="a", pieces=None):
    pieces = (Piece(stage.clip, 0.0, 3.0),) if pieces is None else pieces
    return Sound(claim_id, begins or now(), pieces, length_s)


def test_a_sound_starts_and_ends(stage):
    begins = now() + timedelta(seconds=0.15)
    stage.player.cue(a_sound(stage, begins=begins))
    started, ended = stage.next_event(), stage.next_event()
    assert started == Started("a", started.at, pytest.approx(0.0, abs=0.001))
    assert abs(started.at - begins) < timedelta(milliseconds=1)
    assert isinstance(ended, Ended)
    assert abs(ended.at - begins - timedelta(seconds=0.2)) < timedelta(milliseconds=1)
    assert started.at.utcoffset() == ended.at.utcoffset() == timedelta(0)


def test_a_begin_in_the_past_is_joined_by_the_clock(stage):
    begins = now() - timedelta(seconds=1)
    stage.player.cue(a_sound(stage, begins=begins, length_s=2.0))
    started = stage.next_event()
    assert started.position_s >= 1.0
    assert started.position_s == pytest.approx((started.at - begins).total_seconds(), abs=0.001)


def test_another_claim_takes_over_and_the_first_one_does_not_end(stage):
    stage.player.cue(a_sound(stage, length_s=2.0))
    assert stage.next_event().claim_id == "a"
    stage.player.cue(a_sound(stage, claim_id="b"))
    assert isinstance(stage.next_event(), Started)
    assert stage.next_event() == Ended("b", pytest.approx(now(), abs=timedelta(seconds=1)))


def test_new_pieces_for_what_sounds_bring_no_second_start(stage):
    begins = now()
    stage.player.cue(a_sound(stage, begins=begins, length_s=0.4))
    assert isinstance(stage.next_event(), Started)
    longer = (Piece(stage.clip, 0.0, 0.3), Piece(stage.clip, 0.3, 0.3))
    stage.player.cue(a_sound(stage, begins=begins, length_s=0.6, pieces=longer))
    ended = stage.next_event()
    assert isinstance(ended, Ended)
    assert abs(ended.at - begins - timedelta(seconds=0.6)) < timedelta(milliseconds=1)


def test_what_is_hushed_does_not_end(stage):
    stage.player.cue(a_sound(stage, length_s=0.3))
    assert isinstance(stage.next_event(), Started)
    stage.player.hush()
    stage.player.cue(a_sound(stage, claim_id="b"))
    assert stage.next_event().claim_id == "b"


def test_a_missing_piece_is_reported_and_the_sound_still_ends(stage):
    missing = Piece(Path("/nowhere/speech.opus"), 0.0, 0.2)
    stage.player.cue(a_sound(stage, pieces=(missing,)))
    events = [stage.next_event() for _ in range(3)]
    (damaged,) = [event for event in events if isinstance(event, Damaged)]
    assert (damaged.claim_id, damaged.path) == ("a", missing.path)
    assert damaged.reason
    assert isinstance(events[-1], Ended)


def test_a_begin_without_a_time_zone_is_refused(stage):
    naive = datetime.now(UTC).replace(tzinfo=None)
    with pytest.raises(NaiveInstantError):
        stage.player.cue(a_sound(stage, begins=naive))
    with pytest.raises(Empty):
        stage.events.get_nowait()


@pytest.mark.parametrize("offset_s", [0.0, 0.9])
def test_pieces_that_overlap_or_go_back_are_refused(stage, offset_s):
    pieces = (Piece(stage.clip, 0.0, 1.0), Piece(stage.clip, offset_s, 1.0))
    with pytest.raises(PieceOrderError):
        stage.player.cue(a_sound(stage, pieces=pieces))


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_lengths_that_are_none_are_refused(stage, bad):
    with pytest.raises(SoundLengthError):
        stage.player.cue(a_sound(stage, length_s=bad))
    with pytest.raises(SoundLengthError):
        stage.player.cue(a_sound(stage, pieces=(Piece(stage.clip, 0.0, bad),)))


def test_somebody_who_speaks_and_is_not_known_is_a_silent_part_of_a_sound(stage):
    begins = now() + timedelta(seconds=0.15)
    pieces = (Piece(stage.clip, 0.0, 0.1), Microphone("xa-1/noi-1", 0.1, 60.0))
    stage.player.cue(a_sound(stage, begins=begins, length_s=0.3, pieces=pieces))
    started, ended = stage.next_event(), stage.next_event()
    assert isinstance(started, Started)
    assert isinstance(ended, Ended)
    assert (ended.at - begins).total_seconds() == pytest.approx(0.3, abs=0.01)


def test_pieces_that_overlap_somebody_who_speaks_are_refused(stage):
    pieces = (Microphone("xa-1/noi-1", 0.0, 60.0), Piece(stage.clip, 1.0, 1.0))
    with pytest.raises(PieceOrderError):
        stage.player.cue(a_sound(stage, pieces=pieces))


def test_after_closing_nothing_is_taken_any_more(stage):
    stage.player.close()
    stage.player.close()
    with pytest.raises(PlayerClosedError):
        stage.player.cue(a_sound(stage))
    with pytest.raises(PlayerClosedError):
        stage.player.hush()
    assert stage.events.empty(), "closing on purpose is no death"


def test_silence_reads_as_minus_120_dbfs(stage):
    assert stage.player.level_dbfs() == -120.0


def test_a_dead_fake_takes_nothing_as_a_dead_player_does():
    events = SimpleQueue()
    player = FakePlayer(events)
    player.die("the card is gone")
    assert events.get_nowait() == Died("the card is gone")
    with pytest.raises(PlayerClosedError, match="the card is gone"):
        player.hush()


def test_a_fake_cannot_be_driven_to_what_cannot_happen():
    player = FakePlayer(SimpleQueue())
    with pytest.raises(AssertionError):
        player.start(now())
    with pytest.raises(AssertionError):
        player.finish(now())
    with pytest.raises(AssertionError):
        player.damage(Path("x"), "torn")
