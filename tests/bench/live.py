"""Somebody speaks live: how late and how evenly it is heard, and what many listeners cost.

First as in a village: a real browser whose microphone hears a file, the server's programs, a
broker and three nodes, two on this machine's own network and one behind a bad link. What the
microphone's device handed out is looked for in what the nodes recorded. Then an installation
with Mosquitto and PostgreSQL, and listeners that verify and count, while a clock speaks.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from threading import Event

import msgspec
import psutil
from sqlalchemy import select
from websockets.sync.client import ClientConnection, connect

from audio_library.decode import write_wav
from audio_library.music import melody
from protocol.live import FRAME_S
from protocol.messages import Play
from protocol.signing import unverified
from server.cli.demo.matching import RATE_HZ, Recording
from server.domain.authority import Actor
from server.services import microphones
from server.services.broadcast_requests import NewBroadcast
from server.services.broadcasting import find
from server.services.keyring import FLASK, secret_text
from server.store.engine import open_engine, open_sessions
from server.store.models import AsRunRow
from tests.bench.links import bad_links
from tests.bench.measuring import p50_ms, p95_ms, report, say
from tests.bench.sites import LOGIN, SECRET, Site, a_site
from tests.bench.urgent import YARDSTICK
from tests.factories.live import packed, spoken
from tests.factories.mouths import Mouth, a_phone, go_on_air, mouth
from tests.factories.towns import Town, a_town

NEAR = ("lang-ma", "ban-cap")
FAR = "dong-cap"
VILLAGES = ("Thôn Làng Má", "Thôn Bản Cáp", "Thôn Đông Cáp")
SPEECH_S = 60.0
EVERY_S = 2.0
PIECE_S = 2.0
"""A note is as like what was spoken one period of 6 or 10 ms further: a piece has several."""
LATEST_S = 4.0
LIKE = 0.6
"""Less like what was spoken is a piece of which a part was lost: it is counted, not measured."""

LISTENERS = (1, 50, 200, YARDSTICK)
WATCHED_S = 10.0
TOGETHER = 3
PATIENCE_S = 60.0


def main() -> None:
    """Measure both, and tell everything in one line."""
    figures = _heard_in_villages()
    say(f"in villages: {figures}")
    report({**figures, "listeners": _costs()})


def _heard_in_villages() -> dict[str, float]:
    with (
        tempfile.TemporaryDirectory(prefix="loa-bench-") as folder,
        bad_links() as badly,
        a_town(Path(folder), {*NEAR, FAR}, broker_by={FAR: badly}) as town,
    ):
        file = Path(folder) / "mouth.wav"
        write_wav(file, melody(11, SPEECH_S + 30))
        with a_phone(town.settings.address, file) as page:
            broadcast = go_on_air(page, "Nói trực tiếp", VILLAGES)
            said_from = datetime.now(UTC) + timedelta(seconds=1)
            town.wait_until(said_from + timedelta(seconds=SPEECH_S))
            page.get_by_role("button", name="Kết thúc").click()
            # To hand over a minute of sound holds a page up for so long that it would be taken
            # for a microphone that is lost.
            given = mouth(page)
            town.wait(lambda: len(town.records(broadcast)) == len(VILLAGES), 30, "all records")
        late_s = {name: _late_s(town, name, given, said_from) for name in NEAR}
        frames = _frames(town, broadcast)
    whole = [pair for pair in zip(*late_s.values(), strict=True) if None not in pair]
    skew_s = [abs(one - other) for one, other in whole]
    both_s = [late for pair in whole for late in pair]
    far = frames[FAR]
    return {
        "pieces": len(whole),
        "pieces_torn": len(late_s[NEAR[0]]) - len(whole),
        "mouth_to_speaker_p50_s": round(p50_ms(both_s) / 1000, 3),
        "mouth_to_speaker_p95_s": round(p95_ms(both_s) / 1000, 3),
        "live_skew_p50_ms": p50_ms(skew_s),
        "live_skew_p95_ms": p95_ms(skew_s),
        "late_percent": _late_percent(far),
        "bad_link_frames": far["heard"] + far["missing"],
        "late_percent_near": max(_late_percent(frames[name]) for name in NEAR),
    }


def _late_s(town: Town, cluster: str, given: Mouth, said_from: datetime) -> list[float | None]:
    """Tell how late each piece that was spoken is heard; None for one that is not heard whole."""
    heard = town.heard(cluster)
    recording = Recording(heard.samples)
    late_s: list[float | None] = []
    for number in range(round((SPEECH_S - LATEST_S) / EVERY_S)):
        since = said_from + timedelta(seconds=number * EVERY_S)
        since_s = heard.position_s(since)
        found = recording.find(given.words(since, PIECE_S), since_s, since_s + LATEST_S)
        is_whole = found.score >= LIKE
        late_s.append(found.at_sample / RATE_HZ - since_s if is_whole else None)
    return late_s


def _frames(town: Town, broadcast: str) -> dict[str, dict[str, int]]:
    """Tell what each node says of the frames that it heard, and missed at their time."""
    engine = open_engine(town.settings.database)
    with open_sessions(engine, reads_only=True)() as db:
        rows = db.scalars(select(AsRunRow).where(AsRunRow.claim_id == broadcast))
        frames = {row.cluster_id: row.segments["frames"] for row in rows}
    engine.dispose()
    return frames


def _late_percent(frames: dict[str, int]) -> float:
    return round(100 * frames["missing"] / (frames["heard"] + frames["missing"]), 2)


def _costs() -> dict[str, dict[str, float]]:
    with (
        tempfile.TemporaryDirectory(prefix="loa-bench-") as folder,
        a_site(Path(folder), YARDSTICK) as site,
    ):
        costs = {}
        for count in LISTENERS:
            costs[str(count)] = _cost(site, count)
            say(f"{count} listeners: {costs[str(count)]}")
        return costs


def _cost(site: Site, count: int) -> dict[str, float]:
    """Speak to so many for a while; what that costs, in percent of one processor."""
    with _listening(site, count) as listeners, _on_air(site) as clock:
        clock.speak(2.0)
        before_s, began_s = _spent_s(site), time.monotonic()
        clock.speak(WATCHED_S)
        took_s, after_s = time.monotonic() - began_s, _spent_s(site)
        clock.stop()
        heard = _told(listeners, clock.broadcast, _public_key(site, clock.broadcast))
    percent = {name: round(100 * (after_s[name] - before_s[name]) / took_s, 1) for name in after_s}
    if heard["refused"]:
        message = f"{heard['refused']} messages were refused"
        raise RuntimeError(message)
    return {
        "cpu_live_percent": percent["live"],
        "cpu_broker_percent": percent["broker"],
        "cpu_server_percent": round(sum(percent.values()) - percent["broker"], 1),
        "lost_percent": round(100 * (1 - heard["least_frames"] / heard["frames"]), 2),
        "way_p50_ms": heard["way_p50_ms"],
        "way_p95_ms": heard["way_p95_ms"],
    }


@contextmanager
def _listening(site: Site, count: int) -> Iterator[subprocess.Popen[str]]:
    """Run so many listeners in a process of their own."""
    file = site.settings.state_dir / "listeners.json"
    said = {
        "host": site.settings.mqtt_host,
        "port": site.settings.mqtt_port,
        "secret": SECRET,
        "nodes": list(site.nodes)[:count],
    }
    file.write_text(json.dumps(said))
    listeners = subprocess.Popen(
        (sys.executable, "-m", "tests.bench.listeners", str(file)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if listeners.stdout is None or listeners.stdout.readline().strip() != "ready":
            message = "the listeners did not become ready"
            raise RuntimeError(message)
        yield listeners
    finally:
        listeners.kill()
        listeners.wait()


def _told(listeners: subprocess.Popen[str], broadcast: str, key: str) -> dict[str, float]:
    answer, _ = listeners.communicate(f"{broadcast} {key}\n", timeout=PATIENCE_S)
    return json.loads(answer)


def _public_key(site: Site, broadcast: str) -> str:
    with site.sessions() as db:
        order = unverified(find(db, broadcast).token).msg
    if not isinstance(order, Play) or order.claim.content.live is None:
        message = "nobody was ordered to listen"
        raise RuntimeError(message)
    return order.claim.content.live.public_key


def _spent_s(site: Site) -> dict[str, float]:
    """Tell the processor time that each program has spent, with those it has started."""
    spent_s = {}
    for name in ("live", "broker", "web", "gateway", "scheduler"):
        program = psutil.Process(site.keeper.pid(name))
        times = [one.cpu_times() for one in (program, *program.children(recursive=True))]
        spent_s[name] = sum(one.user + one.system for one in times)
    return spent_s


@contextmanager
def _on_air(site: Site) -> Iterator["Clock"]:
    """Go on air to the whole province, as a browser would."""
    new = NewBroadcast(
        request_id=f"live-{time.monotonic_ns()}",
        unit_id="t1",
        title="Nói trực tiếp",
        bulletin_class="priority",
        asset_digest="",
        units=("t1",),
    )
    ticket = microphones.ticket(
        new,
        actor=Actor.operator(LOGIN.username),
        secret=secret_text(site.settings.secrets_dir, FLASK),
        now=datetime.now(UTC),
    )
    with connect(f"ws://{site.settings.host}:{site.settings.microphone_port}") as connection:
        connection.send(msgspec.json.encode({"ticket": ticket}).decode())
        _hear(connection, "ready")
        clock = Clock(connection)
        clock.speak(0.5)
        connection.send('{"say":"start"}')
        on_air = _hear(connection, "on-air")
        clock.broadcast = on_air["broadcast"]
        clock.resume()
        clock.speak(on_air["speak_in_s"])
        yield clock


def _hear(connection: ClientConnection, state: str) -> dict:
    said = json.loads(connection.recv(timeout=PATIENCE_S))
    if said["state"] != state:
        message = f"the server says {said}"
        raise RuntimeError(message)
    return said


class Clock:
    """Speaks without a pause, and without a browser: frames when they are due."""

    def __init__(self, connection: ClientConnection) -> None:
        self.broadcast = ""
        self._connection = connection
        self._frames = cycle(spoken(melody(5, 10.0)))
        self._next_s = time.monotonic()
        self._pause = Event()

    def resume(self) -> None:
        """Leave out what passed while nobody spoke."""
        self._next_s = time.monotonic()

    def speak(self, length_s: float) -> None:
        until_s = time.monotonic() + length_s
        while self._next_s < until_s:
            captured_s, self._next_s = self._next_s, self._next_s + TOGETHER * FRAME_S
            self._pause.wait(max(0.0, self._next_s - time.monotonic()))
            some = [next(self._frames) for _ in range(TOGETHER)]
            self._connection.send(packed(1000 * captured_s, some))

    def stop(self) -> None:
        self._connection.send('{"say":"stop"}')
        _hear(self._connection, "over")


if __name__ == "__main__":
    main()
