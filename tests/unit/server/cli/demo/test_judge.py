"""The judge of a headless run, on recordings made for the purpose."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import pytest

from audio_library.decode import write_wav
from audio_library.music import melody
from server.cli.demo.judge import judge
from server.cli.demo.matching import RATE_HZ, Recording, Samples
from server.cli.demo.report import AsRunEntry, Order, Report, write_report

NOON = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
LENGTH_S = 26.0
PROGRAMME_S = 20.0
URGENT_S = 7.0


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def speech_like(seed: int, seconds: float) -> Samples:
    chance = np.random.default_rng(seed)
    noise = chance.normal(0, 0.1, round(seconds * RATE_HZ) // 12).repeat(12)
    return noise.astype(np.float32)


@cache
def programme() -> Samples:
    return melody(seed=3, seconds=PROGRAMME_S)


URGENT = speech_like(7, URGENT_S)
SLOT = Order(
    id="slot-1-x",
    kind="slot",
    bulletin_class="ordinary",
    source="source/programme.wav",
    speech_at=0.0,
    targets=("a", "b"),
    planned_start=after(2),
)
NOTICE = Order(
    id="broadcast-1",
    kind="urgent",
    bulletin_class="priority",
    source="source/urgent.wav",
    speech_at=0.5,
    targets=("a",),
    posted_at=after(9),
)


@dataclass
class Run:
    """A run's folder as it should be, for a test to spoil."""

    folder: Path
    heard: dict[str, Samples] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=lambda: [SLOT, NOTICE])
    as_run: list[AsRunEntry] = field(default_factory=list)

    def put(self, cluster: str, piece: Samples, at_s: float) -> None:
        first = round(at_s * RATE_HZ)
        self.heard[cluster][first : first + len(piece)] = piece

    def faults(self) -> list[str]:
        (self.folder / "heard").mkdir()
        (self.folder / "source").mkdir()
        write_wav(self.folder / "source/programme.wav", programme())
        write_wav(self.folder / "source/urgent.wav", URGENT)
        for cluster, samples in self.heard.items():
            write_wav(self.folder / f"heard/{cluster}.wav", samples)
            beginning = {"start": NOON, "sample_rate": RATE_HZ}
            (self.folder / f"heard/{cluster}.json").write_bytes(msgspec.json.encode(beginning))
        write_report(self.folder, Report(orders=tuple(self.orders), as_run=tuple(self.as_run)))
        return judge(self.folder).faults


def record(cluster: str, order: str, start_s: float, outcome: str) -> AsRunEntry:
    return AsRunEntry(
        cluster=cluster, order=order, start=after(start_s), end=None, outcome=outcome, reason=""
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Make a run without fault: a programme at a and b, cut at a by an urgent order."""
    good = Run(tmp_path)
    for cluster in ("a", "b", "c"):
        good.heard[cluster] = np.zeros(round(LENGTH_S * RATE_HZ), dtype=np.float32)
    good.put("a", 0.5 * programme(), 2.0)
    good.put("b", 0.5 * programme(), 2.0)
    good.put("a", URGENT, 9.4)
    good.put("a", np.zeros(round(0.2 * RATE_HZ), dtype=np.float32), 9.4 + URGENT_S)
    good.as_run = [
        record("a", SLOT.id, 2.0, "cut"),
        record("b", SLOT.id, 2.0, "played"),
        record("a", NOTICE.id, 9.4, "played"),
    ]
    return good


def test_a_run_as_it_should_be_has_no_fault(run: Run):
    assert run.faults() == []


@pytest.mark.parametrize(("closing_s", "faults"), [(0.9, 0), (0.0, 1)])
def test_a_tone_closes_an_order_only_where_one_is_foretold(run: Run, closing_s: float, faults: int):
    run.orders[1] = msgspec.structs.replace(NOTICE, targets=("c",), closing_s=closing_s)
    run.put("a", 0.5 * programme(), 2.0)
    run.put("c", URGENT, 9.4)
    run.put("c", speech_like(8, 0.8), 9.4 + URGENT_S)
    run.as_run = [record(name, SLOT.id, 2.0, "played") for name in ("a", "b")]
    run.as_run.append(record("c", NOTICE.id, 9.4, "played"))
    found = run.faults()
    assert len(found) == faults
    assert all("nobody ordered" in fault for fault in found)


def test_a_piece_is_found_to_the_sample_at_any_level():
    silence = np.zeros(5 * RATE_HZ, dtype=np.float32)
    piece = melody(seed=5, seconds=2.0)
    silence[70_001 : 70_001 + len(piece)] = 0.1 * piece
    match = Recording(silence).find(piece)
    assert match.at_sample == 70_001
    assert match.score > 0.99


def late_programme(run: Run) -> None:
    run.heard["b"] = np.roll(run.heard["b"], round(0.07 * RATE_HZ))


def clusters_apart(run: Run) -> None:
    run.heard["b"] = np.roll(run.heard["b"], round(0.03 * RATE_HZ))


def late_urgent(run: Run) -> None:
    run.orders[1] = msgspec.structs.replace(NOTICE, posted_at=after(7.8))


def silent_target(run: Run) -> None:
    run.heard["b"][:] = 0


def no_recording(run: Run) -> None:
    del run.heard["b"]


def sound_at_no_target(run: Run) -> None:
    run.put("c", URGENT, 9.4)


def hum_that_nobody_ordered(run: Run) -> None:
    run.put("c", np.full(RATE_HZ, 0.01, dtype=np.float32), 20.0)


def hole_in_the_programme(run: Run) -> None:
    run.put("b", np.zeros(2 * RATE_HZ, dtype=np.float32), 12.0)


def programme_that_does_not_come_back(run: Run) -> None:
    run.put("a", np.zeros(4 * RATE_HZ, dtype=np.float32), 16.5)


def programme_that_comes_back_elsewhere(run: Run) -> None:
    run.put("a", 0.5 * programme()[: 5 * RATE_HZ], 16.8)


def missing_record(run: Run) -> None:
    run.as_run.pop()


def double_record(run: Run) -> None:
    run.as_run.append(run.as_run[1])


def record_of_no_target(run: Run) -> None:
    run.as_run.append(record("c", NOTICE.id, 9.4, "played"))


def wrong_outcome(run: Run) -> None:
    run.as_run[0] = record("a", SLOT.id, 2.0, "played")


def record_with_another_start(run: Run) -> None:
    run.as_run[1] = record("b", SLOT.id, 3.0, "played")


def stop_that_was_not_heeded(run: Run) -> None:
    run.orders[1] = msgspec.structs.replace(NOTICE, stopped_at=after(11.5))
    run.as_run[2] = record("a", NOTICE.id, 9.4, "stopped")


def stop_that_was_not_heeded_where_nothing_is_below(run: Run) -> None:
    run.orders.append(
        msgspec.structs.replace(
            NOTICE, id="broadcast-2", targets=("c",), posted_at=after(15), stopped_at=after(18)
        )
    )
    run.put("c", URGENT, 15.4)


SPOILED: dict[Callable[[Run], None], str] = {
    late_programme: "off its plan",
    clusters_apart: "30.0 ms between a and b",
    late_urgent: "1.600 s after its posting",
    silent_target: "slot-1-x was not heard at b",
    no_recording: "no recording of b",
    sound_at_no_target: "broadcast-1 sounded at c, which is no target",
    hum_that_nobody_ordered: "c sounded 1.00 s that nobody ordered",
    hole_in_the_programme: "slot-1-x at b: only",
    programme_that_does_not_come_back: "slot-1-x at a: only",
    programme_that_comes_back_elsewhere: "slot-1-x at a: only",
    missing_record: "0 as-run records instead of 1",
    double_record: "2 as-run records instead of 1",
    record_of_no_target: "broadcast-1 at c has 1 as-run records instead of 0",
    wrong_outcome: "recorded as played",
    record_with_another_start: "its record says",
    stop_that_was_not_heeded: "slot-1-x at a: only",
    stop_that_was_not_heeded_where_nothing_is_below: "that nobody ordered, from 05:00:19",
}


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__)
def test_every_fault_is_named(run: Run, spoil: Callable[[Run], None]):
    spoil(run)
    assert any(SPOILED[spoil] in fault for fault in run.faults())
