from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from edge.player import Damaged, Ended, Piece, Sound, Started
from edge.player.levels import FADE
from edge.player.mixer import Mixer
from edge.player.output import RATE_HZ
from edge.player.reader import Span
from edge.player.timeline import Timeline
from tests.factories.sounds import noise, tone

EPOCH = datetime(2026, 11, 21, 12, tzinfo=UTC)
BLOCK = 960


def at(seconds):
    return EPOCH + timedelta(seconds=seconds)


class Studio:
    """A mixer on an ideal clock, files that are arrays, and a decoder as quick as the test says."""

    def __init__(self, *, ceiling_db=0.0, **files: np.ndarray):
        self.files = {Path(name): samples for name, samples in files.items()}
        self.events = []
        self.mixer = Mixer(self.events.append, epoch_s=EPOCH.timestamp(), ceiling_db=ceiling_db)
        self.now_s = 0.0
        self.timelines = []
        self.decoding = True

    def cue(self, sound):
        last = self.timelines[-1] if self.timelines else None
        same = last and (last.sound.claim_id, last.sound.begins) == (sound.claim_id, sound.begins)
        timeline = Timeline(
            sound,
            lambda path, reason: self.events.append(Damaged(sound.claim_id, path, reason)),
            position=int((self.now_s - (sound.begins - EPOCH).total_seconds()) * RATE_HZ),
            inherits=last if same else None,
            decoder=self._decode,
        )
        self.timelines.append(timeline)
        self.mixer.cue(timeline)

    def run(self, seconds):
        """Sound so many seconds and give them."""
        heard = []
        for _ in range(round(seconds * RATE_HZ / BLOCK)):
            self._work()
            block = self.mixer.render(Span(self.now_s, BLOCK))
            heard.append(np.zeros(BLOCK) if block is None else block)
            self.now_s += BLOCK / RATE_HZ
        return np.concatenate(heard)

    def _work(self):
        for timeline in self.timelines:
            if not timeline.closed and self.decoding:
                for track in timeline.tracks:
                    while track.margin(timeline.position) is not None:
                        track.advance(timeline.position)

    def _decode(self, path, start, trouble):
        if path not in self.files:
            trouble("no such file")
            return
        samples = self.files[path][start:]
        for begin in range(0, len(samples), 7_000):
            yield samples[begin : begin + 7_000]


def sound(claim_id, begins_s, *names: str, length_s=None, each_s=2.0, **rest: float):
    pieces = tuple(Piece(Path(name), k * each_s, each_s) for k, name in enumerate(names))
    length_s = each_s * len(names) if length_s is None else length_s
    return Sound(claim_id, at(begins_s), pieces, length_s, **rest)


def kinds(events):
    return [(type(event).__name__, event.claim_id) for event in events]


def test_the_first_sample_lands_on_its_planned_place_within_a_block():
    song = noise(2.0)
    studio = Studio(song=song)
    studio.cue(sound("a", 0.125, "song"))
    heard = studio.run(1.0)
    assert np.abs(heard[: 6000 - 2]).max() == 0.0
    assert np.abs(heard[6000:] - song[: 48_000 - 6000]).max() < 1e-4
    (started,) = studio.events
    assert abs(started.at - at(0.125)) <= timedelta(microseconds=25)
    assert started.position_s < 1 / RATE_HZ


def test_a_start_between_two_samples_is_kept_to_a_fraction():
    song = tone(2.0, hertz=1000)
    studio = Studio(song=song)
    studio.cue(sound("a", 0.100_01, "song"))
    heard = studio.run(0.5)[5000:]
    wanted = 0.5 * np.sin(2 * np.pi * 1000 * (np.arange(5000, 24_000) / RATE_HZ - 0.100_01))
    assert np.abs(heard - wanted).max() < 2e-3


def test_a_late_cue_joins_where_the_clock_says():
    song = noise(4.0)
    studio = Studio(song=song)
    studio.run(1.0)
    studio.cue(sound("a", 0.0, "song", each_s=4.0))
    heard = studio.run(1.0)
    assert np.abs(heard[FADE:] - song[48_000 + FADE : 96_000]).max() < 1e-4
    assert studio.events[0].position_s == pytest.approx(1.0, abs=1e-6)
    assert studio.events[0].at == at(1.0)


def test_joining_late_does_not_click():
    studio = Studio(song=np.full(96_000, 0.5, dtype=np.float32))
    studio.run(1.0)
    studio.cue(sound("a", 0.0, "song"))
    assert np.abs(np.diff(studio.run(0.5), prepend=0)).max() < 0.5 / FADE * 1.1


def test_a_cross_fade_has_no_click_and_takes_50_ms():
    low, high = tone(2.0, hertz=150), tone(2.0, hertz=230)
    studio = Studio(low=low, high=high)
    studio.cue(sound("a", 0.0, "low"))
    before = studio.run(0.5)
    studio.cue(sound("b", 0.6, "high"))
    after = studio.run(0.5)
    heard = np.concatenate([before, after])
    steepest = 0.5 * 2 * np.pi * 230 / RATE_HZ + 1 / FADE
    assert np.abs(np.diff(heard)).max() < steepest
    assert np.abs(heard[: 28_800 - 2] - low[: 28_800 - 2]).max() < 1e-4
    share = np.linspace(0, 1, FADE, endpoint=False)
    mixed = (1 - share) * low[28_800 : 28_800 + FADE] + share * high[:FADE]
    assert np.abs(heard[28_800 : 28_800 + FADE] - mixed).max() < 1e-3
    assert np.abs(heard[28_800 + FADE :] - high[FADE : 48_000 - 28_800]).max() < 1e-4
    assert kinds(studio.events) == [("Started", "a"), ("Started", "b")]


def test_until_a_future_begin_the_old_sound_goes_on_uncut():
    old, new = noise(4.0, seed=1), noise(2.0, seed=2)
    studio = Studio(old=old, new=new)
    studio.cue(sound("old", 0.0, "old", each_s=4.0))
    studio.run(0.5)
    studio.cue(sound("new", 1.0, "new"))
    heard = studio.run(0.4)
    assert np.abs(heard - old[24_000 : 24_000 + len(heard)]).max() < 1e-4
    assert kinds(studio.events) == [("Started", "old")]


def test_a_cue_replaces_one_that_has_not_begun():
    studio = Studio(first=noise(2.0, seed=1), second=noise(2.0, seed=2))
    studio.cue(sound("first", 0.5, "first"))
    studio.cue(sound("second", 1.0, "second"))
    assert not studio.run(0.98).any()
    studio.run(0.1)
    assert kinds(studio.events) == [("Started", "second")]


def test_cueing_what_sounds_again_drops_what_was_to_replace_it():
    old = noise(4.0, seed=1)
    studio = Studio(old=old, new=noise(2.0, seed=2))
    studio.cue(sound("old", 0.0, "old", each_s=4.0))
    studio.run(0.5)
    studio.cue(sound("new", 1.0, "new"))
    studio.cue(sound("old", 0.0, "old", each_s=4.0))
    heard = studio.run(1.0)
    assert np.abs(heard - old[24_000 : 24_000 + len(heard)]).max() < 1e-4


def test_speech_that_arrives_during_its_chime_is_heard_as_if_it_had_always_been_there():
    chime, speech = noise(2.0, seed=1), noise(2.0, seed=2)
    studio = Studio(chime=chime, speech=speech)
    studio.cue(sound("a", 0.0, "chime", length_s=4.0))
    first = studio.run(1.0)
    studio.cue(sound("a", 0.0, "chime", "speech"))
    heard = np.concatenate([first, studio.run(2.5)])
    whole = np.concatenate([chime, speech])
    assert np.abs(heard - whole[: len(heard)]).max() < 1e-4
    assert kinds(studio.events) == [("Started", "a")]


def test_new_pieces_wait_until_they_are_decoded_while_the_old_ones_sound():
    song, same = noise(4.0), noise(4.0)
    studio = Studio(song=song, same=same)
    studio.cue(sound("a", 0.0, "song", each_s=4.0))
    first = studio.run(0.5)
    studio.decoding = False
    studio.cue(sound("a", 0.0, "same", each_s=4.0))
    second = studio.run(0.3)
    studio.decoding = True
    heard = np.concatenate([first, second, studio.run(0.5)])
    assert np.abs(heard - song[: len(heard)]).max() < 1e-4


def test_a_sound_ends_once_at_its_length_and_leaves_silence():
    studio = Studio(song=noise(2.0))
    studio.cue(sound("a", 0.1, "song", length_s=0.5))
    heard = studio.run(1.0)
    assert kinds(studio.events) == [("Started", "a"), ("Ended", "a")]
    assert studio.events[1].at == at(0.6)
    assert not heard[round(0.6 * RATE_HZ) :].any()
    assert heard[round(0.58 * RATE_HZ) : round(0.589 * RATE_HZ)].any()
    assert studio.timelines[0].closed


def test_what_follows_at_the_very_end_lets_the_first_one_end():
    studio = Studio(one=noise(1.0), two=noise(1.0, seed=2))
    studio.cue(sound("one", 0.0, "one", each_s=1.0))
    studio.run(0.5)
    studio.cue(sound("two", 1.0, "two", each_s=1.0))
    studio.run(1.0)
    assert kinds(studio.events) == [("Started", "one"), ("Ended", "one"), ("Started", "two")]


def test_a_sound_whose_time_is_over_ends_without_having_started():
    studio = Studio(song=noise(2.0))
    studio.run(5.0)
    studio.cue(sound("a", 0.0, "song"))
    assert not studio.run(0.1).any()
    assert kinds(studio.events) == [("Ended", "a")]


def test_until_the_new_sound_is_decoded_the_old_one_is_heard():
    old, new = noise(4.0, seed=1), noise(4.0, seed=2)
    studio = Studio(old=old, new=new)
    studio.cue(sound("old", 0.0, "old", each_s=4.0))
    studio.run(0.5)
    studio.decoding = False
    studio.cue(sound("new", 0.0, "new", each_s=4.0))
    meanwhile = studio.run(0.3)
    studio.decoding = True
    after = studio.run(0.3)
    assert np.abs(meanwhile - old[24_000 : 24_000 + len(meanwhile)]).max() < 1e-4
    first = round(0.8 * RATE_HZ)
    assert np.abs(after[FADE:] - new[first + FADE : first + len(after)]).max() < 1e-4
    assert studio.events[-1] == Started("new", at(0.8), pytest.approx(0.8))


def test_a_sound_that_never_decodes_silences_the_old_one_after_a_second():
    studio = Studio(old=noise(4.0), new=noise(4.0))
    studio.cue(sound("old", 0.0, "old", each_s=4.0))
    studio.run(0.5)
    studio.decoding = False
    studio.cue(sound("new", 0.5, "new", each_s=4.0))
    assert studio.run(0.9).all()
    assert not studio.run(0.3)[-3000:].any()


def test_a_missing_file_is_silence_for_its_time_and_is_reported_once():
    last = noise(1.0, seed=3)
    studio = Studio(first=noise(1.0), last=last)
    studio.cue(sound("a", 0.0, "first", "missing", "last", each_s=1.0))
    heard = studio.run(3.0)
    assert not heard[48_003 : 96_000 - 3].any()
    assert np.abs(heard[96_000:-500] - last[: 48_000 - 500]).max() < 1e-4
    assert kinds(studio.events) == [("Damaged", "a"), ("Started", "a"), ("Ended", "a")]
    assert studio.events[0].path == Path("missing")


def test_a_file_that_ends_early_is_reported():
    studio = Studio(short=noise(1.0))
    studio.cue(sound("a", 0.0, "short"))
    studio.run(1.0)
    (damaged,) = [event for event in studio.events if isinstance(event, Damaged)]
    assert "1.00 s" in damaged.reason


def test_a_file_that_came_after_all_is_played_when_cued_again():
    studio = Studio(chime=noise(1.0))
    studio.cue(sound("a", 0.0, "chime", "speech", each_s=1.0))
    studio.run(0.5)
    speech = studio.files[Path("speech")] = noise(1.0, seed=2)
    studio.cue(sound("a", 0.0, "chime", "speech", each_s=1.0))
    heard = studio.run(1.0)
    assert np.abs(heard[24_000:] - speech[:24_000]).max() < 1e-4


def test_a_hush_is_silence_within_50_ms_without_a_click_and_drops_what_waits():
    studio = Studio(song=tone(4.0, hertz=200), next=noise(2.0))
    studio.cue(sound("a", 0.0, "song", each_s=4.0))
    studio.run(0.3)
    last = studio.run(0.2)[-1]
    studio.cue(sound("b", 1.0, "next"))
    studio.mixer.hush()
    heard = studio.run(1.5)
    steepest = 0.5 * 2 * np.pi * 200 / RATE_HZ + 1 / FADE
    assert np.abs(np.diff(heard, prepend=last)).max() < steepest
    assert heard[:FADE].any()
    assert not heard[FADE:].any()
    assert kinds(studio.events) == [("Started", "a")]
    assert all(timeline.closed for timeline in studio.timelines)


@pytest.mark.parametrize(("gain_db", "ceiling_db", "factor"), [(-6.0206, 0, 0.5), (12, -20, 0.1)])
def test_the_gain_of_a_sound_is_held_under_the_players_maximum(gain_db, ceiling_db, factor):
    song = noise(2.0)
    studio = Studio(song=song, ceiling_db=ceiling_db)
    studio.cue(sound("a", 0.0, "song", gain_db=gain_db))
    assert np.abs(studio.run(1.0) - factor * song[:48_000]).max() < 1e-4


def test_a_new_gain_for_what_sounds_comes_in_a_ramp():
    studio = Studio(song=np.full(96_000, 0.5, dtype=np.float32))
    studio.cue(sound("a", 0.0, "song"))
    studio.run(0.5)
    studio.cue(sound("a", 0.0, "song", gain_db=-6.0206))
    heard = studio.run(0.5)
    assert np.abs(np.diff(heard)).max() < 0.5 / FADE
    assert heard[-1] == pytest.approx(0.25, abs=1e-4)


def test_a_clock_that_jumps_moves_the_sound_without_a_click():
    song = tone(8.0, hertz=100)
    studio = Studio(song=song)
    # A quarter wave off, so that the jump comes where the sound is loudest.
    studio.cue(sound("a", -0.0025, "song", each_s=8.0))
    before = studio.run(1.0)
    # Half a wave further: the two places could not differ more.
    jumped = Span(1.505, BLOCK, jumped_from_s=1.0)
    block = studio.mixer.render(jumped)
    steepest = 0.5 * 2 * np.pi * 100 / RATE_HZ + 1 / BLOCK
    assert np.abs(np.diff(np.concatenate([before[-10:], block]))).max() < steepest
    studio.now_s = jumped.ends_s
    after = studio.run(0.5)
    first = round(1.5075 * RATE_HZ) + BLOCK
    assert np.abs(after - song[first : first + len(after)]).max() < 1e-4


@pytest.mark.parametrize("cued_s", [0.0, 40.0])
def test_a_jump_back_beyond_what_is_kept_decodes_again(cued_s):
    song = noise(60.0)
    studio = Studio(song=song)
    studio.now_s = cued_s
    studio.cue(sound("a", 0.0, "song", each_s=60.0))
    studio.run(30.0 if cued_s == 0.0 else 5.0)
    studio.now_s = 10.0
    studio.run(0.1)
    heard = studio.run(1.0)
    first = round(10.1 * RATE_HZ)
    assert np.abs(heard - song[first : first + len(heard)]).max() < 1e-4


def test_a_long_piece_streams_through_without_a_seam():
    song = noise(45.0)
    studio = Studio(song=song)
    studio.cue(sound("a", 0.0, "song", each_s=45.0))
    heard = studio.run(44.9)
    assert np.abs(heard - song[: len(heard)]).max() < 1e-4
    assert kinds(studio.events) == [("Started", "a")]


def test_repeats_of_one_file_follow_each_other_without_a_gap():
    clip = noise(0.5)
    studio = Studio(clip=clip)
    studio.cue(sound("a", 0.0, *["clip"] * 6, each_s=0.5))
    heard = studio.run(2.9)
    assert np.abs(heard - np.tile(clip, 6)[: len(heard)]).max() < 1e-4


def test_ended_is_told_even_when_nothing_was_left_to_play():
    studio = Studio()
    studio.cue(Sound("empty", at(0.1), (), 0.3))
    studio.run(1.0)
    assert studio.events[-1] == Ended("empty", at(0.4))
