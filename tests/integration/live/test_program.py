"""The program that takes microphones: real connections, a real broker, and what was kept."""

import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from threading import Event, Thread

import av
import msgspec
import numpy as np
import pytest
from sqlalchemy import update
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from audio_library.decode import read_samples
from audio_library.ingest import ingest
from audio_library.store import Store
from protocol.live import Ending, unseal
from protocol.messages import Play
from protocol.signing import public_from_text, unverified
from server.domain.recurrence import local_day
from server.live.recording import Recorder
from server.live.runner import run
from server.mqtt.broker import BrokerKind
from server.services import accounts, broadcasting, microphones, units
from server.services.broadcast_requests import NewBroadcast
from server.services.catalogue import DRILL_AFTER
from server.services.drill_labels import TEXTS, keep_labels
from server.services.keyring import FLASK, secret_text
from server.store.models import BroadcastRow, UserRow
from tests.factories.brokers import Peer, listens, running_broker
from tests.factories.installations import COMMUNE, OPERATOR, an_installation
from tests.factories.live import packed, spoken
from tests.factories.ports import free_port
from tests.factories.sounds import encode, rms, tone
from tests.factories.waiting import PATIENCE_S, wait_until

FRAMES = spoken(tone(1.2, hertz=400.0))
NODE = "nut-1"
_requests = count(1)


class Studio:
    """A running program, an officer with tickets, and a node that listens."""

    def __init__(self, place, secret):
        self.place = place
        self._secret = secret
        self._stop = Event()
        self._thread = None

    def start(self):
        self._stop.clear()
        self._thread = Thread(target=run, args=(self.place.settings, self._stop))
        self._thread.start()
        settings = self.place.settings.model_copy(
            update={"mqtt_port": self.place.settings.microphone_port}
        )
        wait_until(lambda: listens(settings))

    def close(self):
        self._stop.set()
        if self._thread is not None:
            self._thread.join(PATIENCE_S)
            assert not self._thread.is_alive()

    def ticket(self, **overrides: object) -> str:
        new = NewBroadcast(
            request_id=f"request-{next(_requests)}",
            unit_id=COMMUNE,
            title="Lũ về",
            bulletin_class="priority",
            asset_digest="",
            units=(COMMUNE,),
        )
        return microphones.ticket(
            replace(new, **overrides),
            actor=replace(OPERATOR, name="can-bo"),
            secret=secret_text(self.place.settings.secrets_dir, FLASK),
            now=datetime.now(UTC),
        )

    @contextmanager
    def microphone(self, ticket: str | None = None, port: int = 0):
        port = port or self.place.settings.microphone_port
        with connect(f"ws://127.0.0.1:{port}", close_timeout=0.5) as connection:
            connection.send(msgspec.json.encode({"ticket": ticket or self.ticket()}).decode())
            yield Browser(connection)

    def label(self, tmp_path):
        """Let the labels be there; the frames of the last."""
        lengths = {}
        for purpose, length_s in zip(TEXTS, (0.8, 0.6), strict=True):
            asset = ingest(
                encode(
                    tmp_path / f"{purpose}.wav", tone(length_s, hertz=1000.0), codec="pcm_s16le"
                ),
                Store(self.place.settings.asset_dir),
            )
            lengths[purpose] = asset
        with self.place.sessions.begin() as db:
            places = units.tree(db, today=local_day(datetime.now(UTC)))
            keep_labels(db, lengths, unit_id=COMMUNE, places=places, now=datetime.now(UTC))
        path = Store(self.place.settings.asset_dir).path
        return _packets(path(lengths[DRILL_AFTER].digest))

    def row(self, broadcast_id) -> BroadcastRow:
        with self.place.reads.begin() as db:
            return broadcasting.find(db, broadcast_id)

    def source(self, broadcast_id):
        order = unverified(self.row(broadcast_id).token).msg
        assert isinstance(order, Play)
        return order.claim.content.live

    @contextmanager
    def node(self, broadcast_id):
        """Listen as a node does that was armed."""
        with Peer(self.place.settings, NODE, self._secret) as peer:
            peer.subscribe(f"loa/1/live/{broadcast_id}")
            yield Listener(peer, broadcast_id, self.source(broadcast_id))

    def recording(self, broadcast_id) -> np.ndarray:
        digest = wait_until(lambda: self.row(broadcast_id).asset_digest, within_s=30)
        path = self.place.settings.asset_dir / digest[:2] / f"{digest}.opus"
        return read_samples(path)


class Listener:
    def __init__(self, peer, broadcast_id, source):
        self._peer = peer
        self._broadcast_id = broadcast_id
        self._key = public_from_text(source.public_key)

    def next(self, within_s=PATIENCE_S):
        raw = self._peer.hears(within_s)[1]
        return unseal(self._key, raw, broadcast=self._broadcast_id)

    def until_the_end(self):
        """All frames by number, and how it ended."""
        said = self.messages()
        frames = {}
        for message in said:
            frames.update(enumerate(message.frames, start=message.sequence))
        return frames, said[-1].ending

    def messages(self):
        """All that is said until it ends."""
        said = [self.next()]
        while said[-1].ending is Ending.GOES_ON:
            said.append(self.next())
        return said


class Browser:
    """Speaks as the page does."""

    def __init__(self, connection):
        self.connection = connection
        self._began = time.monotonic()

    def hears(self, state):
        said = msgspec.json.decode(self.connection.recv(timeout=PATIENCE_S))
        assert said["state"] == state, said
        return said

    def say(self, word):
        self.connection.send(msgspec.json.encode({"say": word}).decode())

    def go_on_air(self):
        self.hears("ready")
        self.say("start")
        told = self.hears("on-air")
        # There is no chime in this installation: but for a drill's label one may speak at once.
        assert told["speak_in_s"] < 1.5
        threading.Event().wait(told["speak_in_s"] + 0.02)
        return told["broadcast"]

    def now_s(self):
        return time.monotonic() - self._began

    def send(self, captured_s, frames):
        self.connection.send(packed(captured_s * 1000, frames))

    def speak(self, frames=FRAMES):
        for number in range(0, len(frames), 3):
            some, captured_s = frames[number : number + 3], self.now_s()
            threading.Event().wait(0.02 * len(some))
            self.send(captured_s, some)


def let_in(place):
    """Let an officer of the commune be there."""
    with place.sessions.begin() as db:
        accounts.create_user(
            db,
            username="can-bo",
            password_hash="-",  # noqa: S106 - nobody logs in with it
            full_name="Cán bộ",
            grants=[("commune-officer", COMMUNE)],
            now=datetime.now(UTC),
            actor=OPERATOR,
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    with ExitStack() as stack:
        place = stack.enter_context(
            an_installation(
                tmp_path_factory.mktemp("live"),
                mqtt_port=free_port(),
                live_port=free_port(),
                live_delay_s=0.5,
                lead_s=0.0,
            )
        )
        secret = place.commission(NODE, "cum-1").secret
        let_in(place)
        stack.enter_context(running_broker(place.settings, BrokerKind.MOSQUITTO))
        yield place, secret


@pytest.fixture
def studio(installed):
    made = Studio(*installed)
    made.start()
    yield made
    made.close()


@pytest.mark.sound
def test_what_is_spoken_goes_out_signed_and_stamped_and_is_kept(studio):
    ticket = studio.ticket()
    with studio.microphone(ticket) as browser:
        broadcast = browser.go_on_air()
        with studio.node(broadcast) as node:
            began = datetime.now(UTC).timestamp()
            browser.speak()
            # Another microphone with the same ticket is turned away while this one speaks.
            with studio.microphone(ticket) as second:
                second.hears("ready")
                second.say("start")
                assert second.hears("refused")["codes"] == ["already-spoken"]
            browser.speak(FRAMES[:3])
            spoken_s = datetime.now(UTC).timestamp() - began
            browser.say("stop")
            assert browser.hears("over")["reason"] == "spoken"
            first = node.next()
            frames, ending = node.until_the_end()
    assert ending is Ending.SPOKEN
    assert first.captured_us / 1e6 == pytest.approx(began, abs=0.3)
    assert set(FRAMES[6:]) <= set(frames.values())
    row = studio.row(broadcast)
    assert row.end - datetime.now(UTC) < timedelta(seconds=6)
    samples = studio.recording(broadcast)
    assert len(samples) / 48_000 == pytest.approx(spoken_s, abs=0.5)
    assert rms(samples) > 0.05
    assert not list(studio.place.settings.recording_dir.glob("*"))


@pytest.mark.sound
@pytest.mark.parametrize("ending", [Ending.SPOKEN, Ending.BROKEN_OFF])
def test_a_drill_says_what_it_is_before_the_first_word_and_after_the_last_of_all(
    studio, tmp_path, ending
):
    after = studio.label(tmp_path)
    with studio.microphone(studio.ticket(mode="drill")) as browser:
        browser.hears("ready")
        browser.say("start")
        told = browser.hears("on-air")
        assert told["speak_in_s"] < 0.8 + 0.3
        with studio.node(told["broadcast"]) as node:
            # Somebody speaks into the label: that is not heard.
            browser.speak(FRAMES[:9])
            threading.Event().wait(told["speak_in_s"])
            browser.speak()
            if ending is Ending.SPOKEN:
                browser.say("stop")
            else:
                browser.connection.socket.close()
            heard, how = node.until_the_end()
    assert how is ending
    said = [heard[number] for number in sorted(heard)]
    # What breaks off is closed at once.
    assert (said[-len(after) :] == after) is (ending is Ending.SPOKEN)
    assert set(FRAMES[6:-3]) <= set(said)
    # A node may come when the label has begun; what is kept has it whole.
    samples = studio.recording(told["broadcast"])
    heard_hz = [_pitch_hz(part) for part in (samples[:38_000], samples[45_000:80_000])]
    assert heard_hz == pytest.approx([1000.0, 400.0], abs=10)


def test_a_drill_whose_label_is_lost_is_never_ordered(studio, tmp_path):
    studio.label(tmp_path)
    for path in studio.place.settings.asset_dir.rglob("*.opus"):
        path.rename(path.with_suffix(".away"))
    with studio.microphone(studio.ticket(mode="drill", title="Không nhãn")) as browser:
        browser.hears("ready")
        browser.say("start")
        assert browser.hears("refused")["codes"] == ["drill-label-missing"]
    for path in studio.place.settings.asset_dir.rglob("*.away"):
        path.rename(path.with_suffix(".opus"))
    with studio.place.reads.begin() as db:
        assert db.query(BroadcastRow).filter(BroadcastRow.title.contains("Không nhãn")).count() == 0


@contextmanager
def a_wire(port: int):
    """A way to a port of this machine that carries bytes until it is cut; neither end is told."""
    cut = Event()
    with ExitStack() as stack:
        door = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def carry(one, other):
            with suppress(OSError):
                while some := one.recv(65_536):
                    if not cut.is_set():
                        other.sendall(some)

        def serve():
            near = stack.enter_context(door.accept()[0])
            far = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            for ends in ((near, far), (far, near)):
                Thread(target=carry, args=ends, daemon=True).start()

        Thread(target=serve, daemon=True).start()
        yield door.getsockname()[1], cut


@pytest.mark.sound
@pytest.mark.parametrize("how", ["vanishes", "is cut off", "sends rubbish"])
def test_a_microphone_that_is_lost_ends_the_broadcast_within_two_seconds(studio, how):
    port = studio.place.settings.microphone_port
    with a_wire(port) as (near, cut), studio.microphone(port=near) as browser:
        broadcast = browser.go_on_air()
        with studio.node(broadcast) as node:
            browser.speak()
            lost = time.monotonic()
            if how == "vanishes":
                browser.connection.socket.close()
            elif how == "is cut off":
                cut.set()
            elif how == "sends rubbish":
                browser.connection.send(b"\x01rubbish")
            _, ending = node.until_the_end()
            assert ending is Ending.BROKEN_OFF
            assert time.monotonic() - lost < 2
    assert rms(studio.recording(broadcast)) > 0.05


@pytest.mark.sound
@pytest.mark.parametrize("still_s", [1.5, 1.9])
def test_a_page_that_stands_still_stays_on_air_and_what_comes_too_late_is_kept_but_not_heard(
    studio, still_s
):
    with studio.microphone() as browser:
        broadcast = browser.go_on_air()
        with studio.node(broadcast) as node:
            browser.speak()
            still_since = browser.now_s()
            threading.Event().wait(still_s)
            # All at once, as a page sends it that was away.
            behind = FRAMES[: round(still_s / 0.02) // 3 * 3]
            for number in range(0, len(behind), 3):
                browser.send(still_since + number * 0.02, behind[number : number + 3])
            browser.speak()
            browser.say("stop")
            assert browser.hears("over")["reason"] == "spoken"
            messages = node.messages()
    assert messages[-1].ending is Ending.SPOKEN
    # The nodes are told that it goes on, often enough for none to give it up.
    told_s = [one.captured_us / 1e6 for one in messages]
    assert max(later - earlier for earlier, later in pairwise(told_s)) < 1
    assert any(not one.frames for one in messages[:-3])
    heard = sum(len(one.frames) for one in messages)
    assert 2 * len(FRAMES) <= heard < 2 * len(FRAMES) + len(behind) - 20
    assert len(studio.recording(broadcast)) / 48_000 == pytest.approx(2 * 1.2 + still_s, abs=0.3)


@pytest.mark.slow
def test_a_microphone_that_stands_still_for_good_is_given_up_though_its_connection_lives(studio):
    with studio.microphone() as browser:
        broadcast = browser.go_on_air()
        with studio.node(broadcast) as node:
            browser.speak()
            assert node.until_the_end()[1] is Ending.BROKEN_OFF
            assert browser.hears("over")["reason"] == "broken-off"


def test_a_stop_from_the_page_takes_the_microphone_off_air(studio):
    with studio.microphone() as browser:
        broadcast = browser.go_on_air()
        with studio.place.sessions.begin() as db:
            broadcasting.stop(
                db,
                broadcast,
                now=datetime.now(UTC),
                actor=OPERATOR,
                keyring=studio.place.keyring,
            )
        with suppress(ConnectionClosed):
            browser.speak()
        assert browser.hears("over")["reason"] == "stopped"


def test_a_program_that_is_stopped_ends_politely(studio):
    with studio.microphone() as browser:
        broadcast = browser.go_on_air()
        with studio.node(broadcast) as node:
            browser.speak(FRAMES[:9])
            stopping = Thread(target=studio.close)
            stopping.start()
            with suppress(ConnectionClosed):
                browser.speak()
            assert browser.hears("over")["reason"] == "server-ended"
            assert node.until_the_end()[1] is Ending.BROKEN_OFF
            stopping.join()


def one_that_has_run(installed) -> tuple["Studio", str]:
    """A program that was ended, and a broadcast that somebody began there."""
    studio = Studio(*installed)
    studio.start()
    with studio.microphone() as browser:
        broadcast = browser.go_on_air()
    studio.close()
    return studio, broadcast


@pytest.mark.slow
def test_what_a_killed_program_left_is_kept_by_the_next_and_its_broadcast_ended(installed):
    studio, broadcast = one_that_has_run(installed)
    # As a kill leaves it: whole frames, and a torn one.
    with Recorder(studio.place.settings.recording_dir, broadcast) as recorder:
        recorder.add(0, tuple(FRAMES))
        recorder.add(len(FRAMES) + 25, tuple(FRAMES))
    path = studio.place.settings.recording_dir / f"{broadcast}.frames"
    path.write_bytes(path.read_bytes()[:-5])
    studio.start()
    samples = studio.recording(broadcast)
    studio.close()
    # The half second between in which nothing was captured is silence of the same length.
    assert len(samples) / 48_000 == pytest.approx(2 * 1.2 + 0.5, abs=0.1)
    assert rms(samples[round(1.35 * 48_000) : round(1.55 * 48_000)]) < 0.01


@pytest.mark.slow
def test_a_program_that_is_stopped_does_not_wait_for_a_recording_and_loses_nothing(installed):
    studio, broadcast = one_that_has_run(installed)
    with Recorder(studio.place.settings.recording_dir, broadcast) as recorder:
        for number in range(0, 3000, len(FRAMES)):
            recorder.add(number, tuple(FRAMES))
    studio.start()
    studio.close()
    assert studio.row(broadcast).asset_digest is None
    assert [path.stem for path in studio.place.settings.recording_dir.glob("*.frames")] == [
        broadcast
    ]
    studio.start()
    assert len(studio.recording(broadcast)) / 48_000 == pytest.approx(60, abs=1.5)
    studio.close()


@pytest.mark.parametrize(
    ("ticket", "code"),
    [("forged", "bad-ticket"), ("", "bad-ticket")],
)
def test_who_has_no_ticket_is_refused(studio, ticket, code):
    with connect(f"ws://127.0.0.1:{studio.place.settings.microphone_port}") as connection:
        connection.send(msgspec.json.encode({"ticket": ticket}).decode())
        assert Browser(connection).hears("refused")["codes"] == [code]


@pytest.mark.parametrize("raw", [b"\x00\x01", "{}", "x" * 1000])
def test_who_says_nonsense_is_refused(studio, raw):
    with connect(f"ws://127.0.0.1:{studio.place.settings.microphone_port}") as connection:
        connection.send(raw)
        assert Browser(connection).hears("refused")["codes"] == ["no-microphone"]


def test_somebody_whose_rights_have_gone_since_the_page_was_opened_is_refused_at_once(studio):
    with studio.microphone(studio.ticket(unit_id="tinh-1", units=("tinh-1",))) as browser:
        assert browser.hears("refused")["codes"] == ["not-allowed"]


def test_rights_are_looked_at_once_more_when_somebody_begins(studio):
    with studio.microphone() as browser:
        browser.hears("ready")
        with dismissed(studio.place):
            browser.say("start")
            assert browser.hears("refused")["codes"] == ["no-microphone"]


@contextmanager
def dismissed(place):
    """Let the officer be nobody for a while."""
    for is_there in (False, True):
        with place.sessions.begin() as db:
            db.execute(update(UserRow).values(active=is_there))
        if not is_there:
            yield


@pytest.mark.slow
def test_without_a_broker_nobody_goes_on_air(tmp_path):
    with an_installation(tmp_path, mqtt_port=free_port(), live_port=free_port()) as place:
        let_in(place)
        studio = Studio(place, "")
        studio.start()
        try:
            with studio.microphone() as browser:
                browser.hears("ready")
                browser.say("start")
                assert browser.hears("refused")["codes"] == ["broker-away"]
            with place.reads.begin() as db:
                assert db.query(BroadcastRow).count() == 0
        finally:
            studio.close()


@pytest.mark.sound
def test_a_browser_that_has_only_webm_is_heard_too(studio, tmp_path):
    whole = encode(tmp_path / "spoken.webm", tone(2.4, hertz=400.0))
    body = _with_short_clusters(whole, tmp_path / "short.webm").read_bytes()
    with studio.microphone() as browser:
        broadcast = browser.go_on_air()
        with studio.node(broadcast) as node:
            step = len(body) // 40
            for at in range(0, len(body), step):
                browser.connection.send(b"\x02" + body[at : at + step])
                threading.Event().wait(0.06)
            browser.say("stop")
            frames, ending = node.until_the_end()
    assert ending is Ending.SPOKEN
    assert len(frames) > 60
    assert rms(studio.recording(broadcast)) > 0.05


def _pitch_hz(samples):
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.argmax(spectrum)) * 48_000 / len(samples)


def _packets(path):
    with av.open(str(path)) as file:
        return [bytes(packet) for packet in file.demux(audio=0) if packet.size]


def _with_short_clusters(source, target):
    """Write a stream as browsers do, a cluster for each piece."""
    options = {"cluster_time_limit": "60", "live": "1"}
    with av.open(str(source)) as old, av.open(str(target), "w", options=options) as new:
        stream = new.add_stream_from_template(old.streams.audio[0])
        for packet in old.demux(old.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    return target
