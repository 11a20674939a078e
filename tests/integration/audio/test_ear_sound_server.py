"""A node that plays into a real sound server and listens to it: what it sends, it hears."""

import queue
from datetime import UTC, datetime, timedelta

import pytest

from edge.listening.listener import Listener
from edge.listening.tap import TappedOutput
from edge.listening.tone import Loudspeaker
from edge.player import Ended, Piece, Sound
from edge.player.engine import MixerPlayer
from edge.player.output import open_output
from edge.playout import Playout
from edge.settings import ListeningInput
from protocol.messages import AsRun, Outcome, Segment, SoundVerdict
from tests.factories.claims import CLUSTER
from tests.factories.sound_servers import null_sink, sound_server
from tests.factories.sounds import encode, noise, now
from tests.factories.waiting import wait_until

pytestmark = [pytest.mark.sound, pytest.mark.slow]


class Amplifier:
    """One that is always on."""

    def power(self, *, on):
        self.is_on = on


@pytest.fixture
def node(tmp_path, monkeypatch):
    """A player into one sink of a server, and an ear at the monitor of one of its two."""
    home = tmp_path / "pulse"
    home.mkdir()
    sinks = (null_sink("mono", sink_name="horn"), null_sink("mono", sink_name="elsewhere"))
    opened = []

    def listening_to(monitor):
        output = TappedOutput(open_output("pulse"))
        events = queue.SimpleQueue()
        player = MixerPlayer(output, events)
        at = (datetime.now(UTC) + timedelta(hours=7) - timedelta(hours=1)).time()
        setup = ListeningInput(f"pulse:{monitor}", 0.0, -50.0, at, -30.0)
        loudspeaker = Loudspeaker("nut-1", player, Amplifier())
        listener = Listener(setup, output, loudspeaker, tmp_path / "listening.json")
        listener.start()
        wait_until(lambda: len(listener._lately) > 1)
        opened.extend((listener, player))
        return player, events, listener

    with sound_server(home, *sinks) as found:
        for name, value in found.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PULSE_SINK", "horn")
        yield listening_to
        for one in opened:
            one.close()


def record_of(player, events, path, seconds):
    """Play a file, and make its record."""
    begins = now() + timedelta(seconds=3)
    player.cue(Sound("tin-1", begins, (Piece(path, 0.0, seconds),), seconds))
    ended = next(event for event in iter(lambda: events.get(timeout=30), None) if _is_end(event))
    # The last fifth of a second is heard as much later.
    wait_until(lambda: now() > ended.at + timedelta(seconds=0.5))
    part = Segment(start=begins, end=ended.at, position_s=0.0)
    return AsRun(
        report_id="-",
        claim_id="tin-1",
        cluster=CLUSTER,
        at=ended.at,
        outcome=Outcome.PLAYED,
        segments=(part,),
    )


def _is_end(event):
    return isinstance(event, Ended)


def test_what_a_node_sends_it_hears_and_finds_its_tone(node, tmp_path):
    player, events, listener = node("horn.monitor")
    song = encode(tmp_path / "song.opus", noise(6.0))
    heard = listener.attested(record_of(player, events, song, 6.0), now()).proof
    assert heard.verdict is SoundVerdict.HEARD
    # Noise above 4 kHz is folded into what the tap hears, and filtered by the server.
    assert heard.level_dbfs == pytest.approx(heard.sent_dbfs, abs=2.5)
    assert abs(heard.delay_s) <= 0.3

    def has_tone():
        listener.look(Playout(), now())
        return listener.tone is not None

    wait_until(has_tone, within_s=30)
    assert listener.tone.verdict is SoundVerdict.HEARD
    assert abs(listener.tone.delay_s) <= 0.3
    assert listener.standing == frozenset()


def test_a_horn_that_is_cut_off_is_told(node, tmp_path):
    player, events, listener = node("elsewhere.monitor")
    song = encode(tmp_path / "song.opus", noise(6.0))
    heard = listener.attested(record_of(player, events, song, 6.0), now()).proof
    assert heard.verdict is SoundVerdict.SILENT_HORN
    assert listener.standing == {"silent-horn"}
