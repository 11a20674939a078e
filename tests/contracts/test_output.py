"""What every output owes the engine; integration runs the same suite on real sound servers."""

import threading
from time import monotonic

import numpy as np
import pytest

from edge.errors import OutputError
from edge.player.output import BUFFER_S, RATE_HZ, open_output
from edge.player.recording import RecordingOutput
from edge.player.simulated import SimulatedOutput
from tests.factories.sounds import heard, noise
from tests.factories.waiting import wait_until

pytestmark = pytest.mark.sound

BLOCK = np.zeros(960, dtype=np.int16)


class OutputContract:
    """Subclasses give the fixture ``output``."""

    def test_it_takes_sound_at_the_pace_it_plays_it(self, output):
        for _ in range(10):
            output.write(BLOCK)
        began = monotonic()
        for _ in range(20):
            output.write(BLOCK)
        assert monotonic() - began == pytest.approx(0.4, abs=0.08)

    def test_its_delay_is_what_is_queued_and_runs_down(self, output):
        for _ in range(10):
            output.write(BLOCK)
        full_s = output.delay_s()
        assert 0.01 < full_s < 2 * BUFFER_S + 0.1
        wait_until(lambda: output.delay_s() < full_s - 0.005)

    def test_a_rest_is_cut_short_by_waking(self, output):
        output.write(BLOCK)
        wake = threading.Event()
        wake.set()
        began = monotonic()
        output.rest(wake, 10.0)
        assert monotonic() - began < 0.2

    def test_a_rest_tells_how_much_silence_it_was(self, output):
        for _ in range(10):
            output.write(BLOCK)
        before_s = monotonic() + output.delay_s()
        rested = 0
        while rested < RATE_HZ // 4:
            rested += output.rest(threading.Event(), 0.2)
        after_s = monotonic() + output.delay_s()
        assert rested / RATE_HZ == pytest.approx(after_s - before_s, abs=0.02)

    def test_it_can_be_closed_twice_and_then_refuses(self, output):
        output.write(BLOCK)
        output.close()
        output.close()
        with pytest.raises(OutputError):
            output.write(BLOCK)
        with pytest.raises(OutputError):
            output.delay_s()
        with pytest.raises(OutputError):
            output.rest(threading.Event(), 0.1)


class TestSimulated(OutputContract):
    @pytest.fixture
    def output(self):
        output = SimulatedOutput()
        yield output
        output.close()

    def test_a_block_that_comes_too_late_is_counted(self, output):
        output.write(BLOCK)
        assert output.underruns == 0
        wait_until(lambda: output.delay_s() == 0.0)
        output.write(BLOCK)
        assert output.underruns == 1

    def test_closing_lets_a_waiting_writer_go(self, output):
        ended = threading.Event()

        def write_a_minute():
            output.write(np.zeros(60 * RATE_HZ, dtype=np.int16))
            ended.set()

        threading.Thread(target=write_a_minute, daemon=True).start()
        wait_until(lambda: output.delay_s() > 1)
        output.close()
        assert ended.wait(1.0)


class TestRecording(OutputContract):
    @pytest.fixture
    def output(self, tmp_path):
        output = RecordingOutput(tmp_path / "heard.wav")
        yield output
        output.close()


class Clock:
    """Wall and monotonic time in a test's hand; waiting takes no time."""

    def __init__(self):
        self.wall_s = 1_800_000_000.0
        self.mono_s = 5.0

    def wall(self):
        return self.wall_s

    def monotonic(self):
        # Each look advances a little, so that a full buffer drains while a writer waits for it.
        self.mono_s += 1e-6
        self.wall_s += 1e-6
        return self.mono_s

    def advance(self, seconds):
        self.mono_s += seconds
        self.wall_s += seconds


def samples(seconds, **options: float):
    return np.rint(noise(seconds, **options) * 32_767).astype(np.int16)


def recorder(path, clock, **options: float):
    return RecordingOutput(path, clock=clock.wall, monotonic=clock.monotonic, **options)


def play(output, clock, sound):
    """Write in blocks, as time goes by; give the wall instant of the first sample."""
    while output.delay_s() < 0.030:
        output.write(BLOCK)
    first_s = clock.wall_s + output.delay_s()
    for begin in range(0, len(sound), 960):
        block = sound[begin : begin + 960]
        output.write(block)
        clock.advance(len(block) / RATE_HZ)
    return first_s


def found_in(stretch, sound):
    """Whether the sound stands in the stretch, sample for sample, within a millisecond."""
    kept = np.rint(stretch * 32_767)
    length = len(stretch) - 100
    return any(np.array_equal(kept[k : k + length], sound[:length]) for k in range(48))


def test_a_recording_holds_every_sample_at_its_wall_instant(tmp_path):
    clock, sound = Clock(), samples(1.0)
    output = recorder(tmp_path / "x.wav", clock)
    first_s = play(output, clock, sound)
    output.close()
    assert found_in(heard(tmp_path / "x.wav").between(first_s - 2 / RATE_HZ, 1.0), sound)


def test_a_recording_is_continued_and_dead_time_is_silence(tmp_path):
    clock, one, two = Clock(), samples(0.5, seed=1), samples(0.5, seed=2)
    output = recorder(tmp_path / "x.wav", clock)
    began_s = play(output, clock, one)
    output.close()
    clock.advance(3.0)
    output = recorder(tmp_path / "x.wav", clock)
    again_s = play(output, clock, two)
    output.close()
    kept = heard(tmp_path / "x.wav")
    assert kept.start_s == pytest.approx(1_800_000_000.0, abs=1e-3)
    assert found_in(kept.between(began_s - 0.0005, 0.4), one)
    assert not kept.between(began_s + 0.51, 2.4).any()
    assert found_in(kept.between(again_s - 0.0005, 0.4), two)


def test_a_fast_crystal_is_heard_fast_in_the_recording(tmp_path):
    clock = Clock()
    at = np.arange(10 * RATE_HZ)
    sound = np.rint(12_000 * np.sin(2 * np.pi * 200 * at / RATE_HZ)).astype(np.int16)
    output = recorder(tmp_path / "x.wav", clock, crystal_ppm=500)
    first_s = play(output, clock, sound)
    output.close()
    stretch = heard(tmp_path / "x.wav").between(first_s, 9.5) * 32_767
    wanted = 12_000 * np.sin(2 * np.pi * 200 * np.arange(len(stretch)) * 1.0005 / RATE_HZ)
    assert np.abs(stretch[2000:] - wanted[2000:]).max() < 12_000 * 2 * np.pi * 200 * 0.0001


def test_a_rest_of_a_bad_crystal_moves_the_recording_on(tmp_path):
    clock = Clock()
    output = recorder(tmp_path / "x.wav", clock, crystal_ppm=-200)
    play(output, clock, samples(0.2))
    woken = threading.Event()
    woken.set()
    clock.advance(5.0)
    output.rest(woken, 1.0)
    # The buffer is full after a rest.
    clock.advance(0.025)
    first_s = play(output, clock, samples(0.2))
    output.close()
    kept = heard(tmp_path / "x.wav")
    assert not kept.between(first_s - 4.0, 3.9).any()
    assert kept.between(first_s, 0.1).any()


def test_a_clock_set_forward_leaves_a_hole_and_nothing_is_shifted(tmp_path):
    clock, one, two = Clock(), samples(0.5, seed=1), samples(0.5, seed=2)
    output = recorder(tmp_path / "x.wav", clock)
    play(output, clock, one)
    clock.wall_s += 10.0
    again_s = play(output, clock, two)
    output.close()
    kept = heard(tmp_path / "x.wav")
    assert found_in(kept.between(again_s - 0.0005, 0.4), two)
    assert not kept.between(again_s - 9.0, 8.5).any()


def test_a_clock_set_back_before_the_recording_begins_another_one(tmp_path):
    clock = Clock()
    output = recorder(tmp_path / "x.wav", clock)
    play(output, clock, samples(0.5))
    clock.wall_s -= 3600
    play(output, clock, samples(0.5))
    output.close()
    assert heard(tmp_path / "x.wav").start_s < 1_800_000_000.0 - 3000
    (aside,) = tmp_path.glob("x-until-*.wav")
    assert heard(aside).start_s == pytest.approx(1_800_000_000.0, abs=1e-3)


def test_silence_costs_no_disk(tmp_path):
    clock = Clock()
    output = recorder(tmp_path / "x.wav", clock)
    for _ in range(60):
        clock.advance(1.0)
        output.write(np.zeros(48_000, dtype=np.int16))
    output.close()
    file = tmp_path / "x.wav"
    assert file.stat().st_size > 5_000_000
    assert file.stat().st_blocks * 512 < 100_000


def test_a_torn_header_is_repaired_at_the_next_start(tmp_path):
    clock, sound = Clock(), samples(0.5)
    output = recorder(tmp_path / "x.wav", clock)
    first_s = play(output, clock, sound)
    output.close()
    file = tmp_path / "x.wav"
    file.write_bytes(b"\0" * 44 + file.read_bytes()[44:] + b"\7")
    recorder(file, clock).close()
    assert heard(file).between(first_s, 0.4).any()


def test_a_sound_file_without_its_origin_is_kept_aside_and_not_guessed_at(tmp_path):
    clock = Clock()
    (tmp_path / "x.wav").write_bytes(b"something else")
    recorder(tmp_path / "x.wav", clock).close()
    assert heard(tmp_path / "x.wav").start_s == pytest.approx(clock.wall_s, abs=1e-3)
    (aside,) = tmp_path.glob("x-until-*.wav")
    assert aside.read_bytes() == b"something else"


def test_a_directory_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="file"):
        RecordingOutput(tmp_path / "file" / "x.wav")


@pytest.mark.parametrize("name", ["", "record:", "jack", "simulated:2", "pulse:x"])
def test_a_name_that_is_no_output_is_refused(name):
    with pytest.raises(OutputError, match="is not"):
        open_output(name)


def test_outputs_are_opened_by_name(tmp_path):
    simulated = open_output("simulated")
    recording = open_output(f"record:{tmp_path}/sub/x.wav")
    simulated.close()
    recording.close()
    assert isinstance(simulated, SimulatedOutput)
    assert isinstance(recording, RecordingOutput)
    assert heard(tmp_path / "sub" / "x.wav").samples.size == 0


def test_a_sound_card_that_is_not_there_is_refused():
    with pytest.raises(OutputError, match="hw:77"):
        open_output("alsa:hw:77")
