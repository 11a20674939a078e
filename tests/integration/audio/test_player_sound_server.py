"""The outputs for real devices, on a real PulseAudio whose sink has no loudspeaker."""

import queue
from datetime import timedelta

import numpy as np
import pytest

from edge.errors import OutputError
from edge.player import Ended, Piece, Sound, Started
from edge.player.alsa import AlsaOutput
from edge.player.engine import MixerPlayer
from edge.player.output import open_output
from edge.player.pulse import PulseOutput
from tests.contracts.test_output import OutputContract
from tests.factories.sound_servers import listening, null_sink, sound_server
from tests.factories.sounds import RATE_HZ, encode, lag_s, noise, now
from tests.factories.waiting import wait_until

pytestmark = pytest.mark.sound

SONG = noise(3.0)


@pytest.fixture(scope="module")
def _sound_server(tmp_path_factory):
    home = tmp_path_factory.mktemp("pulse")
    with sound_server(home, null_sink("mono")) as found, pytest.MonkeyPatch.context() as patch:
        for name, value in found.items():
            patch.setenv(name, value)
        yield


class ServerOutputContract(OutputContract):
    """The common suite, and what only a real server can show."""

    def test_what_the_player_plays_is_heard_from_the_server(self, output, tmp_path):
        song = encode(tmp_path / "song.opus", SONG)
        events = queue.SimpleQueue()
        player = MixerPlayer(output, events)
        try:
            with listening(tmp_path / "heard.raw") as heard:
                begins = now() + timedelta(seconds=0.4)
                player.cue(Sound("a", begins, (Piece(song, 0.0, 3.0),), 1.2))
                started, ended = events.get(timeout=5), events.get(timeout=5)
                wait_until(lambda: now() > ended.at + timedelta(seconds=0.2))
        finally:
            player.close()
        sounded = np.fromfile(heard, "<i2") / 32_767
        assert isinstance(started, Started)
        assert isinstance(ended, Ended)
        assert abs(started.at - begins) < timedelta(milliseconds=1)
        (loud,) = np.nonzero(np.abs(sounded) > 0.01)
        first = loud[0]
        assert lag_s(SONG, sounded[first : first + RATE_HZ]) == pytest.approx(0.0, abs=0.005)
        assert (loud[-1] - first) / RATE_HZ == pytest.approx(1.2, abs=0.02)


@pytest.mark.usefixtures("_sound_server")
class TestPulse(ServerOutputContract):
    @pytest.fixture
    def output(self):
        output = open_output("pulse")
        assert isinstance(output, PulseOutput)
        yield output
        output.close()


@pytest.mark.usefixtures("_sound_server")
class TestAlsa(ServerOutputContract):
    @pytest.fixture
    def output(self):
        output = open_output("alsa:pulse")
        assert isinstance(output, AlsaOutput)
        yield output
        output.close()


def test_without_a_server_the_output_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    with pytest.raises(OutputError, match="refused"):
        PulseOutput()
