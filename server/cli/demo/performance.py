"""What a headless run performs, through the HTTP API alone, as the people of the demo.

A programme of the province on all clusters; an urgent announcement in the middle of it at one
commune; a programme of a second commune after it; an announcement at a third commune, stopped
half-way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import structlog

from audio_library.tts.espeak import installed_synthesiser
from server.cli.demo import province
from server.cli.demo.client import Person
from server.cli.demo.report import KIND_SLOT, KIND_URGENT, AsRunEntry, Order, Report
from server.cli.demo.sounds import (
    COMMUNE_PROGRAMME,
    FLOOD_NOTICE,
    PROVINCE_PROGRAMME,
    VACCINE_NOTICE,
    Piece,
    Studio,
)
from server.cli.demo.sources import SourceWriter
from server.cli.errors import CommandError
from server.domain.recurrence import LOCAL, local_day

LEAST_SECONDS = 75
READY_WITHIN_S = 60.0

_REST_OF_RUN_S = 50.0
"""Everything but the province's programme: starting, the second half, and the last reports."""
_LONGEST_PROGRAMME_S = 120.0
_COMMUNE_PROGRAMME_S = 14.0
_AHEAD_S = 5.0
"""From giving a slot to its start: nodes fetch its audio in this time."""
_OWN_WORDS_S = 7.5
"""How long an order's own words sound before another cuts it, or a stop ends it."""
_REPORTED_WITHIN_S = 10.0
_LOOK_S = 0.1

log = structlog.get_logger(__name__)


class PerformanceError(CommandError):
    """A headless run could not be performed to its end."""


@dataclass(frozen=True, slots=True)
class Material:
    """One prepared sound: its digest, its length, and where its own words begin."""

    digest: str
    duration_s: float
    speech_at_s: float


class Performance:
    """One headless run against a running server."""

    def __init__(self, address: str, sources: SourceWriter, stop: Event) -> None:
        self._address = address
        self._sources = sources
        self._stop = stop
        self._orders: list[Order] = []

    def run(self, seconds: float) -> Report:
        """Perform all of it within about ``seconds``, and report."""
        begun = datetime.now(UTC)
        people = {
            unit: Person.log_in(self._address, province.officer_of(unit))
            for unit in (province.PROVINCE, province.DONG_VAN, province.LUNG_CU, province.VI_XUYEN)
        }
        material = self._prepared(people, seconds)
        self._wait_until_ready(people[province.PROVINCE])
        self._put_on(people, material)
        self._wait_for_records(people[province.PROVINCE], begun)
        return self._report(people[province.PROVINCE], begun)

    def _prepared(self, people: dict[str, Person], seconds: float) -> dict[str, Material]:
        programme_s = min(_LONGEST_PROGRAMME_S, max(30.0, seconds - _REST_OF_RUN_S))
        with TemporaryDirectory() as folder:
            studio = Studio(installed_synthesiser(), Path(folder))
            made = {
                province.PROVINCE: studio.programme(PROVINCE_PROGRAMME, programme_s),
                province.LUNG_CU: studio.programme(COMMUNE_PROGRAMME, _COMMUNE_PROGRAMME_S),
                province.DONG_VAN: studio.speech("nuoc-len", FLOOD_NOTICE),
                province.VI_XUYEN: studio.speech("tiem-phong", VACCINE_NOTICE),
            }
            return {unit: self._uploaded(people[unit], unit, made[unit]) for unit in made}

    def _uploaded(self, person: Person, unit: str, piece: Piece) -> Material:
        is_programme = unit in {province.PROVINCE, province.LUNG_CU}
        asset = person.upload(
            piece.path,
            unit_id=unit,
            title=f"Bản thử {piece.path.stem}",
            purpose="programme" if is_programme else "announcement",
        )
        return Material(asset["digest"], asset["duration_s"], piece.speech_at_s)

    def _wait_until_ready(self, person: Person) -> None:
        def is_ready() -> bool:
            clusters = person.clusters()
            return len(clusters) == len(province.CLUSTERS) and all(
                cluster["liveness"] == "here" for cluster in clusters
            )

        if not self._happens(is_ready, READY_WITHIN_S):
            away = [
                cluster["cluster_id"]
                for cluster in person.clusters()
                if cluster["liveness"] != "here"
            ]
            raise PerformanceError(f"nodes that did not come: {', '.join(away)}")
        log.info("all_nodes_here")

    def _put_on(self, people: dict[str, Person], material: dict[str, Material]) -> None:
        start = _whole_second(datetime.now(UTC) + timedelta(seconds=_AHEAD_S))
        whole, commune = material[province.PROVINCE], material[province.LUNG_CU]
        after = _whole_second(start + timedelta(seconds=whole.duration_s + 0.5))
        self._schedule(people, province.PROVINCE, whole, start)
        self._schedule(people, province.LUNG_CU, commune, after)

        self._sleep_until(start + timedelta(seconds=whole.speech_at_s + _OWN_WORDS_S))
        self._announce(people, province.DONG_VAN, material, "Nước suối lên nhanh")

        self._sleep_until(after + timedelta(seconds=2.0))
        order = self._announce(people, province.VI_XUYEN, material, "Tiêm phòng dại cho chó mèo")
        self._sleep_until(order.earliest + timedelta(seconds=order.speech_at + _OWN_WORDS_S + 2.0))
        self._stop_order(people[province.VI_XUYEN], order)
        self._sleep_until(after + timedelta(seconds=commune.duration_s + 0.5))

    def _schedule(
        self, people: dict[str, Person], unit: str, material: Material, start: datetime
    ) -> None:
        local = start.astimezone(LOCAL)
        slot_id = people[unit].add_slot(
            unit_id=unit,
            title=f"Chương trình thử {unit}",
            assets=[material.digest],
            recurrence="once",
            local_start=local.time().isoformat(),
            first_day=local_day(start).isoformat(),
            units=[unit],
        )
        targets = _targets(unit)
        spans = people[unit].timeline(targets[0], local_day(start))
        self._orders.append(
            Order(
                id=next(str(span["claim_id"]) for span in spans if span["slot_id"] == slot_id),
                kind=KIND_SLOT,
                bulletin_class="ordinary",
                source=self._sources.write(people[unit], unit, [material.digest]),
                speech_at=material.speech_at_s,
                targets=targets,
                planned_start=start,
            )
        )
        log.info("slot_added", unit_id=unit, start=start.isoformat())

    def _announce(
        self, people: dict[str, Person], unit: str, material: dict[str, Material], title: str
    ) -> Order:
        sound = material[unit]
        posted_at = datetime.now(UTC)
        answer = people[unit].announce(
            unit_id=unit,
            title=title,
            bulletin_class="priority",
            asset_digest=sound.digest,
            units=[unit],
        )
        opening = answer["broadcast"]["opening_digest"]
        digests = [digest for digest in (opening, sound.digest) if digest]
        order = Order(
            id=answer["broadcast_id"],
            kind=KIND_URGENT,
            bulletin_class="priority",
            source=self._sources.write(people[unit], unit, digests),
            speech_at=self._sources.length_s(opening) if opening else 0.0,
            targets=tuple(answer["clusters"]),
            posted_at=posted_at,
        )
        self._orders.append(order)
        log.info("announced", unit_id=unit, broadcast_id=order.id)
        return order

    def _stop_order(self, person: Person, order: Order) -> None:
        stopped = order.stopped(datetime.now(UTC))
        person.stop(order.id)
        self._orders[self._orders.index(order)] = stopped
        log.info("stopped", broadcast_id=order.id)

    def _wait_for_records(self, person: Person, begun: datetime) -> None:
        wanted = {(order.id, cluster) for order in self._orders for cluster in order.targets}

        def are_there() -> bool:
            return wanted <= {(row.order, row.cluster) for row in _records(person, begun)}

        if not self._happens(are_there, _REPORTED_WITHIN_S):
            log.warning("records_missing")

    def _report(self, person: Person, begun: datetime) -> Report:
        return Report(orders=tuple(self._orders), as_run=_records(person, begun))

    def _happens(self, condition: Callable[[], bool], within_s: float) -> bool:
        deadline = datetime.now(UTC) + timedelta(seconds=within_s)
        while not condition():
            if datetime.now(UTC) > deadline:
                return False
            self._sleep_until(datetime.now(UTC) + timedelta(seconds=_LOOK_S))
        return True

    def _sleep_until(self, instant: datetime) -> None:
        left_s = (instant - datetime.now(UTC)).total_seconds()
        if left_s > 0 and self._stop.wait(left_s):
            raise PerformanceError("the run was interrupted")


def _targets(unit: str) -> tuple[str, ...]:
    if unit == province.PROVINCE:
        return tuple(cluster.cluster_id for cluster in province.CLUSTERS)
    return province.clusters_of(unit)


def _records(person: Person, begun: datetime) -> tuple[AsRunEntry, ...]:
    rows = person.as_run(begun - timedelta(minutes=1), datetime.now(UTC) + timedelta(minutes=1))
    return tuple(
        AsRunEntry(
            cluster=row["cluster_id"],
            order=row["claim_id"],
            start=datetime.fromisoformat(row["start"]) if row["start"] else None,
            end=datetime.fromisoformat(row["end"]) if row["end"] else None,
            outcome=row["outcome"],
            reason=row["reason"],
        )
        for row in rows
    )


def _whole_second(instant: datetime) -> datetime:
    return datetime.fromtimestamp(ceil(instant.timestamp()), UTC)
