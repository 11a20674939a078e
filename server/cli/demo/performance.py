"""What a headless run performs, through the HTTP API alone, as the people of the demo.

A programme of the province on all clusters; an urgent announcement in the middle of it at one
commune; a programme of a second commune after it; an announcement at a third commune, stopped
half-way. Where there is time, what ``further`` lists comes after these.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from audio_library.tts.espeak import installed_synthesiser
from server.cli.demo import province
from server.cli.demo.client import Person
from server.cli.demo.directing import Announcement, Director, PerformanceError
from server.cli.demo.further import FURTHER_S, Further
from server.cli.demo.report import KIND_SLOT, AsRunEntry, Order, Report
from server.cli.demo.sounds import (
    COMMUNE_PROGRAMME,
    FLOOD_NOTICE,
    PROVINCE_PROGRAMME,
    VACCINE_NOTICE,
    Piece,
    Studio,
)
from server.domain.recurrence import LOCAL, local_day

READY_WITHIN_S = 60.0
FURTHER_FROM_S = 180
"""A run that may take so long performs the further paths too."""

_REST_OF_RUN_S = 50.0
"""Everything but the province's programme: starting, the second half, and the last reports."""
_LONGEST_PROGRAMME_S = 120.0
_COMMUNE_PROGRAMME_S = 14.0
_AHEAD_S = 5.0
"""From giving a slot to its start: nodes fetch its audio in this time."""
_OWN_WORDS_S = 7.5
"""How long an order's own words sound before another cuts it, or a stop ends it."""
_REPORTED_WITHIN_S = 10.0
_STAGE = (province.PROVINCE, *(commune.unit_id for commune in province.COMMUNES))

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Material:
    """One prepared sound: its digest, its length, and where its own words begin."""

    digest: str
    duration_s: float
    speech_at_s: float


class Performance:
    """One headless run against a running server."""

    def __init__(self, address: str, director: Director, state: Path) -> None:
        """Make ready.

        Args:
            address: Where the server is.
            director: Gives the orders.
            state: Folder of the demo.
        """
        self._address = address
        self._director = director
        self._state = state

    def run(self, seconds: float) -> Report:
        """Perform all of it within about ``seconds``, and report."""
        begun = datetime.now(UTC)
        people = {unit: Person.log_in(self._address, province.officer_of(unit)) for unit in _STAGE}
        further = None
        if seconds >= FURTHER_FROM_S:
            further = Further(self._director, people, self._state)
            seconds -= FURTHER_S
        material = self._prepared(people, seconds)
        self._wait_until_ready(people[province.PROVINCE])
        if further is not None:
            further.prepare()
        self._put_on(people, material)
        if further is not None:
            further.perform()
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

        if not self._director.happens(is_ready, READY_WITHIN_S):
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

        self._director.sleep_until(start + timedelta(seconds=whole.speech_at_s + _OWN_WORDS_S))
        self._announce(people, province.DONG_VAN, material, "Nước suối lên nhanh")

        self._director.sleep_until(after + timedelta(seconds=2.0))
        order = self._announce(people, province.VI_XUYEN, material, "Tiêm phòng dại cho chó mèo")
        heard_s = order.speech_at + _OWN_WORDS_S + 2.0
        self._director.sleep_until(order.earliest + timedelta(seconds=heard_s))
        self._director.stop_order(people[province.VI_XUYEN], order)
        self._director.sleep_until(after + timedelta(seconds=commune.duration_s + 0.5))

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
        self._director.note(
            Order(
                id=next(str(span["claim_id"]) for span in spans if span["slot_id"] == slot_id),
                kind=KIND_SLOT,
                bulletin_class="ordinary",
                source=self._director.sources.write(people[unit], unit, [material.digest]),
                speech_at=material.speech_at_s,
                targets=targets,
                planned_start=start,
            )
        )
        log.info("slot_added", unit_id=unit, start=start.isoformat())

    def _announce(
        self, people: dict[str, Person], unit: str, material: dict[str, Material], title: str
    ) -> Order:
        wanted = Announcement(unit, unit, title, material[unit].digest)
        return self._director.announce(people[unit], wanted)

    def _wait_for_records(self, person: Person, begun: datetime) -> None:
        wanted = {
            (order.id, cluster) for order in self._director.orders for cluster in order.targets
        }

        def are_there() -> bool:
            return wanted <= {(row.order, row.cluster) for row in _records(person, begun)}

        if not self._director.happens(are_there, _REPORTED_WITHIN_S):
            log.warning("records_missing")

    def _report(self, person: Person, begun: datetime) -> Report:
        return Report(orders=tuple(self._director.orders), as_run=_records(person, begun))


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
