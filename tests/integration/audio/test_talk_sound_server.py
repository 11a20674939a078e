"""Whoever speaks at the box is heard: from a real sound server's source to the recording."""

import queue
import shutil
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from operator import itemgetter

import numpy as np
import pytest

from edge.player import Ended, Microphone, Piece, Sound, Started
from edge.player.engine import MixerPlayer
from edge.player.recording import RecordingOutput
from edge.runs import key_of
from edge.settings import TalkInput
from edge.talk import TalkDesk
from protocol.messages import TalkKey
from tests.factories.messages import a_config
from tests.factories.sound_servers import null_sink, sound_server
from tests.factories.sounds import encode, heard, lag_s, noise, rms, tone
from tests.factories.waiting import wait_until

pytestmark = [pytest.mark.sound, pytest.mark.slow]

# Of the pitch of a voice: half a sample more or less does not tell in it.
SAID = np.convolve(noise(8.0, seed=5, level=0.1), np.hanning(40) / 5, "same")


@pytest.fixture
def mouth(tmp_path, monkeypatch):
    """Somebody who says the same for as long as they are listened to."""
    home = tmp_path / "pulse"
    home.mkdir()
    raw = tmp_path / "said.raw"
    raw.write_bytes((SAID * 32_767).astype("<i2").tobytes())
    with sound_server(home, null_sink("mono", sink_name="mouth")) as found:
        for name, value in found.items():
            monkeypatch.setenv(name, value)
        form = ("--raw", "--format=s16le", "--rate=48000", "--channels=1", "--latency-msec=40")
        speaking = subprocess.Popen([shutil.which("pacat"), *form, "-d", "mouth", str(raw)])
        yield "pulse:mouth.monitor"
        speaking.terminate()
        speaking.wait(5)


def wait_for(events, kind, claim_id):
    while True:
        event = events.get(timeout=15)
        if isinstance(event, kind) and event.claim_id == claim_id:
            return event


def followed(part):
    """Find a stretch in what was said, and tell how well it follows it."""
    at = round(lag_s(SAID, part) * 48_000)
    said = SAID[at : at + len(part)]
    part = part[: len(said)]
    return np.corrcoef(said, part)[0, 1], part, said


@pytest.mark.parametrize("gain_db", [0.0, 40.0])
def test_what_is_said_is_heard_over_the_programme_at_its_level_and_never_clips(
    mouth, tmp_path, gain_db
):
    song = encode(tmp_path / "song.opus", tone(12.0, level=0.3))
    events, file = queue.SimpleQueue(), tmp_path / "heard.wav"
    desk = TalkDesk(TalkInput(16, mouth, gain_db), 0.0, lambda: 0.0)
    output = RecordingOutput(file)
    with closing(MixerPlayer(output, events, listen=desk.speech)) as player:
        begins = datetime.now(UTC) + timedelta(seconds=0.3)
        programme = Sound("tin-1", begins, (Piece(song, 0.0, 12.0),), 12.0)
        player.cue(programme)
        wait_for(events, Started, "tin-1")
        allowed = a_config(talk_key=TalkKey(away_s=0.0, most_s=60.0))
        claim = desk.press(allowed, frozenset(), datetime.now(UTC))
        name = key_of(claim)
        near = desk.speech(name)
        player.cue(Sound(name, claim.start, (Microphone(name, 0.0, 60.0),), 60.0))
        wait_for(events, Started, name)
        wait_until(lambda: near.has_come)
        wait_until(lambda: datetime.now(UTC) > claim.start + timedelta(seconds=3))
        over = desk.release(datetime.now(UTC)).at
        length_s = (over - claim.start).total_seconds()
        player.cue(Sound(name, claim.start, (Microphone(name, 0.0, 60.0),), length_s))
        assert wait_for(events, Ended, name).at == over
        desk.end()
        player.cue(programme)
        wait_for(events, Started, "tin-1")
        wait_until(lambda: datetime.now(UTC) > over + timedelta(seconds=1))
    kept = heard(file)
    parts = [kept.between(claim.start + timedelta(seconds=1 + k / 2), 0.5) for k in range(4)]
    # A busy machine may hold the recorder up for a moment; all the rest is what was said, and
    # nothing of the programme with it.
    found, talk, said = max((followed(part) for part in parts), key=itemgetter(0))
    assert found > (0.99 if gain_db == 0.0 else 0.5)
    if gain_db == 0.0:
        assert rms(talk) == pytest.approx(rms(said), rel=0.05)
    assert np.abs(kept.samples).max() <= 10 ** (-1 / 20) + 1e-3
    # The programme is back, as loud as it was.
    after = kept.between(over + timedelta(seconds=0.5), 0.4)
    assert rms(after) == pytest.approx(0.3 / 2**0.5, rel=0.05)
