"""A small installation as real processes: the demo's server and a few recorded nodes."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from audio_library.decode import Samples, read_samples, write_wav
from audio_library.music import melody
from server.cli.demo import province
from server.cli.demo.client import Person
from server.cli.demo.judge import LIKE
from server.cli.demo.matching import RATE_HZ, Recording
from server.cli.demo.seed import build
from server.cli.demo.stage import demo_settings, keeps, node_programs, readdress_nodes
from server.cli.demo.waves import Heard, read_heard
from server.cli.nodefile import readdressed, write_private
from server.cli.programs import held_port, is_healthy, server_programs
from server.cli.supervisor import Program, Supervisor
from server.domain.recurrence import LOCAL, local_day
from server.mqtt.broker import choose_broker
from server.settings import Settings

LOOK_S = 0.1
STARTING_S = 60.0
WINDOW_S = 0.25


@dataclass(frozen=True)
class Sound:
    """A prepared file, and what it sounds like."""

    digest: str
    samples: Samples

    @property
    def length_s(self) -> float:
        return len(self.samples) / RATE_HZ

    def then(self, other: "Sound") -> "Sound":
        return Sound("", np.concatenate((self.samples, other.samples)))


@dataclass
class Town:
    """The running installation; every wait also minds the programs."""

    settings: Settings
    out: Path
    keeper: Supervisor
    broker_keeper: Supervisor
    broker: Program
    people: dict[str, Person] = field(default_factory=dict)

    def wait(self, condition: Callable[[], bool], within_s: float, what: str) -> None:
        deadline = datetime.now(UTC) + timedelta(seconds=within_s)
        while not condition():
            assert datetime.now(UTC) < deadline, f"not within {within_s} s: {what}"
            self.mind(LOOK_S)

    def wait_until(self, instant: datetime) -> None:
        while (left_s := (instant - datetime.now(UTC)).total_seconds()) > 0:
            self.mind(min(LOOK_S, left_s))

    def mind(self, seconds: float) -> None:
        Event().wait(seconds)
        self.keeper.look()

    def kill(self, name: str) -> None:
        """Kill a program with all its processes, as running out of memory might."""
        pid = self.keeper.pid(name) or self.broker_keeper.pid(name)
        assert pid is not None, f"{name} does not run"
        os.killpg(pid, signal.SIGKILL)

    def take_broker_away(self) -> None:
        self.broker_keeper.close()

    def bring_broker(self) -> None:
        self.broker_keeper.start(self.broker)

    def web_answers(self) -> bool:
        return is_healthy(self.settings.host, self.settings.port)

    def person(self, unit: str) -> Person:
        if unit not in self.people:
            login = province.officer_of(unit)
            self.people[unit] = Person.log_in(self.settings.address, login)
        return self.people[unit]

    def upload(self, unit: str, *, seed: int, seconds: float) -> Sound:
        wav = self.out / f"music-{seed}.wav"
        write_wav(wav, melody(seed, seconds))
        asset = self.person(unit).upload(wav, unit_id=unit, title=wav.stem, purpose="programme")
        return self.prepared(asset["digest"])

    def prepared(self, digest: str) -> Sound:
        path = self.settings.asset_dir / digest[:2] / f"{digest}.opus"
        return Sound(digest, read_samples(path))

    def schedule(self, unit: str, sound: Sound, start: datetime) -> str:
        """Add a slot; the claim it makes."""
        local = start.astimezone(LOCAL)
        slot_id = self.person(unit).add_slot(
            unit_id=unit,
            title="Chương trình thử",
            assets=[sound.digest],
            recurrence="once",
            local_start=local.time().isoformat(),
            first_day=local_day(start).isoformat(),
            units=[unit],
        )
        spans = self.person(unit).timeline(province.clusters_of(unit)[0], local_day(start))
        return next(span["claim_id"] for span in spans if span["slot_id"] == slot_id)

    def announce(self, unit: str, sound: Sound, clusters: list[str]) -> str:
        answer = self.person(unit).announce(
            unit_id=unit,
            title="Thông báo thử",
            bulletin_class="priority",
            asset_digest=sound.digest,
            clusters=clusters,
        )
        return answer["broadcast_id"]

    def records(self, claim_id: str) -> list[Mapping[str, Any]]:
        now = datetime.now(UTC)
        hour = timedelta(hours=1)
        rows = self.person(province.PROVINCE).as_run(now - hour, now + hour)
        return [row for row in rows if row["claim_id"] == claim_id]

    def liveness(self, cluster: str) -> str:
        clusters = self.person(province.PROVINCE).clusters()
        return next(row["liveness"] for row in clusters if row["cluster_id"] == cluster)

    def has_audio(self, cluster: str, sound: Sound) -> bool:
        return keeps(self.settings.state_dir, cluster, sound.digest)

    def heard(self, cluster: str) -> Heard:
        """All that a cluster has sounded until now; its file lags behind by up to a second."""
        asked = datetime.now(UTC)
        file = self.out / f"{cluster}.wav"
        self.wait(lambda: reaches(read_heard(file), asked), 10, f"what {cluster} sounded")
        return read_heard(file)


def reaches(heard: Heard, instant: datetime) -> bool:
    """Say whether a recording is long enough to hold an instant."""
    return heard.sample(instant) <= len(heard.samples)


def holes(heard: Heard, sound: Sound, zero: datetime) -> list[float]:
    """Say at which seconds a sound is not heard where the clock puts it, window by window."""
    recording = Recording(heard.samples)
    at, window = heard.sample(zero), round(WINDOW_S * RATE_HZ)
    return [
        first / RATE_HZ
        for first in range(0, len(sound.samples) - window + 1, window)
        if recording.likeness(sound.samples[first : first + window], at + first, 0.02) < LIKE
    ]


@contextmanager
def a_town(
    folder: Path,
    clusters: set[str],
    broker: str = "auto",
    *,
    lead_s: float = 0.3,
    audio_by: Callable[[str], str] = str,
    broker_by: Mapping[str, Callable[[int], int]] | None = None,
) -> Iterator[Town]:
    """Run the demo's server and the nodes of some clusters in a folder of their own.

    Args:
        folder: Where everything is kept.
        clusters: Whose nodes run.
        broker: Which broker.
        lead_s: From signing an urgent order to its sounding time.
        audio_by: Gives the address by which nodes reach the one where audio really is.
        broker_by: By cluster, gives the port by which its node reaches the broker's own.
    """
    with (
        held_port(18080) as port,
        held_port(18083) as mqtt_port,
        held_port(18180) as live_port,
    ):
        settings = demo_settings(folder / "state", port, mqtt_port, live_port)
        version = choose_broker(broker).mqtt_version
        settings = settings.model_copy(update={"mqtt_version": version, "lead_s": lead_s})
        build(settings)
        audio = tuple(map(audio_by, settings.audio_urls))
        reached = settings.model_copy(update={"audio_for_nodes": audio})
        readdress_nodes(reached)
        for cluster, port_by in (broker_by or {}).items():
            path = province.node_files(settings.state_dir)[cluster]
            bent = reached.model_copy(update={"mqtt_port": port_by(settings.mqtt_port)})
            write_private(path, readdressed(path.read_bytes(), bent))
        programs = {program.name: program for program in server_programs(settings, broker)}
        nodes = [
            program
            for program in node_programs(settings, folder)
            if program.name.removeprefix("node-") in clusters
        ]
        logs = folder / "log"
        with Supervisor(logs) as broker_keeper, Supervisor(logs) as keeper:
            town = Town(settings, folder, keeper, broker_keeper, programs.pop("broker"))
            town.bring_broker()
            for program in (*programs.values(), *nodes):
                keeper.start(program)
            broker_keeper.wait_ready(Event(), STARTING_S)
            keeper.wait_ready(Event(), STARTING_S)
            town.wait(
                lambda: all(town.liveness(cluster) == "here" for cluster in clusters),
                STARTING_S,
                "all nodes are here",
            )
            yield town
