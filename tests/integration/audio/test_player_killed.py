"""A node killed in mid-sentence leaves a recording that can be read, and goes on with it."""

import signal
import subprocess
import sys
import wave
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from edge.player.output import BUFFER_S
from tests.factories.sounds import RATE_HZ, encode, heard, lag_s, noise, now
from tests.factories.waiting import wait_until

pytestmark = pytest.mark.sound

REPOSITORY = Path(__file__).parents[3]
SONG = noise(20.0)

# Plays the song by the clock until it is killed.
NODE = """
import queue, sys
from datetime import datetime
from pathlib import Path
from edge.player import Piece, Sound
from edge.player.engine import MixerPlayer
from edge.player.output import open_output

events = queue.SimpleQueue()
player = MixerPlayer(open_output("record:" + sys.argv[1]), events)
song, begins = Path(sys.argv[2]), datetime.fromisoformat(sys.argv[3])
player.cue(Sound("song", begins, (Piece(song, 0.0, 20.0),), 20.0))
print(events.get().at.isoformat(), flush=True)
events.get()
"""


def node(file, song, begins):
    command = [sys.executable, "-c", NODE, str(file), str(song), begins.isoformat()]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)


def seconds_in(file):
    if not file.exists() or file.stat().st_size <= 44:
        return 0.0
    with wave.open(str(file)) as growing:
        return growing.getnframes() / RATE_HZ


def lived_and_killed(file, song, begins):
    """Let a node play for a second, kill it, and give both instants."""
    process = node(file, song, begins)
    try:
        started = datetime.fromisoformat(process.stdout.readline().strip())
        grown = seconds_in(file)
        wait_until(lambda: now() > started + timedelta(seconds=0.9))
        wait_until(lambda: seconds_in(file) > grown + 0.3)
    finally:
        killed = now()
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=5)
    return started, killed


def test_a_recording_survives_kill_9_and_is_continued_in_place(tmp_path):
    file, song = tmp_path / "heard.wav", encode(tmp_path / "song.opus", SONG)
    begins = now()
    stretches = [lived_and_killed(file, song, begins) for _ in range(2)]
    kept = heard(file)
    for started, _ in stretches:
        begin = started + timedelta(seconds=0.05)
        found = lag_s(SONG, kept.between(begin, 0.7))
        assert found == pytest.approx((begin - begins).total_seconds(), abs=0.002)
    (_, killed), (again, _) = stretches
    dead = kept.between(
        killed + timedelta(seconds=BUFFER_S + 0.05),
        (again - killed).total_seconds() - BUFFER_S - 0.06,
    )
    assert len(dead) > 0
    assert not dead.any()
