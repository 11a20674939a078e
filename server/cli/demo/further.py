"""What a headless run performs besides, where it is given the time: the other ways of announcing.

A text that the speech engine reads; a prepared warning out of what the nodes keep, and its
all-clear; somebody who speaks live; a drill. At one commune each, all at about the same time.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import structlog

from audio_library.decode import read_samples
from audio_library.tts.espeak import installed_synthesiser
from server.cli.demo import province
from server.cli.demo.client import Person
from server.cli.demo.directing import Announcement, Director
from server.cli.demo.mouth import Microphone, Speech, spoken
from server.cli.demo.report import KIND_URGENT, Order
from server.cli.demo.sounds import DRILL_NOTICE, LIVE_NOTICE, TYPED_NOTICE, Studio
from server.cli.demo.stage import keeps
from server.services.catalogue import DRILL_AFTER, DRILL_BEFORE, PHRASE

FURTHER_S = 55.0
"""About how long it takes, preparing included."""

TYPED, WARNING, ALL_CLEAR, LIVE, DRILL = "typed", "warning", "all-clear", "live", "drill"

_CODE = "flash-flood"
_APART = timedelta(seconds=0.5)
_KEPT_WITHIN_S = 30.0
_ON_AIR_WITHIN_S = 20.0
_OVER_WITHIN_S = 40.0
_CLOSING_S = 1.0
"""The tone with which nodes close what was spoken live, and a little more."""
_MARGIN = timedelta(milliseconds=2)
"""Words that begin when the chime ends must not seem to begin before, by a rounding."""

log = structlog.get_logger(__name__)


class Further:
    """The further paths of one run."""

    def __init__(self, director: Director, people: Mapping[str, Person], state: Path) -> None:
        """Make ready.

        Args:
            director: Gives the orders.
            people: Who is logged in, by unit.
            state: Folder of the demo.
        """
        self._director = director
        self._people = people
        self._state = state
        self._sounds: dict[str, str] = {}

    def prepare(self) -> None:
        """Make the sounds, and have the nodes keep what a warning says every time."""
        typed, warned, drilled = province.THANH_THUY, province.LUNG_CU, province.DONG_VAN
        people = self._people
        people[warned].keep_warning(_CODE, warned)
        self._sounds = {
            TYPED: people[typed].speech(unit_id=typed, text=TYPED_NOTICE)["digest"],
            WARNING: people[warned].warning(_CODE, unit_id=warned)["digest"],
            ALL_CLEAR: people[warned].warning(
                "all-clear", unit_id=warned, values={"place": "toàn xã"}
            )["digest"],
            DRILL: people[drilled].speech(unit_id=drilled, text=DRILL_NOTICE)["digest"],
        }

    def perform(self) -> None:
        """Announce in all these ways."""
        self._wait_until_kept(province.LUNG_CU)
        speech = _words()
        with ThreadPoolExecutor(1, "mouth") as mouths:
            on_air = Event()
            said = mouths.submit(self._speak, province.VI_XUYEN, speech, on_air)
            self._director.wait_for(
                lambda: on_air.is_set() or said.done(), _ON_AIR_WITHIN_S, "somebody on air"
            )
            self._announce(TYPED, province.THANH_THUY, "Lịch tiêm chủng")
            self._pause()
            warning = self._announce(
                WARNING, province.LUNG_CU, "Lũ quét", bulletin_class="emergency", severity=2
            )
            self._pause()
            before, after = self._labels(province.DONG_VAN)
            self._announce(
                DRILL, province.DONG_VAN, "Sơ tán", before=before, after=after, mode="drill"
            )
            self._wait_until_over(province.LUNG_CU, warning)
            all_clear = self._announce(
                ALL_CLEAR,
                province.LUNG_CU,
                "Báo yên: Lũ quét",
                follows=warning.id,
                relation="all-clear",
            )
            said.result()
        self._wait_until_over(province.LUNG_CU, all_clear)

    def _announce(
        self,
        way: str,
        unit: str,
        title: str,
        *,
        bulletin_class: str = "priority",
        before: tuple[str, ...] = (),
        after: tuple[str, ...] = (),
        **asked: object,
    ) -> Order:
        wanted = Announcement(
            unit,
            f"{unit}-{way}",
            title,
            self._sounds[way],
            before=before,
            after=after,
            way=way,
            bulletin_class=bulletin_class,
            asked=asked,
        )
        return self._director.announce(self._people[unit], wanted)

    def _speak(self, unit: str, speech: Speech, on_air: Event) -> None:
        """Go on air, and say the words right behind the chime."""
        person, sources = self._people[unit], self._director.sources
        ticket = person.microphone(unit_id=unit, title="Nói trực tiếp", units=[unit])
        with Microphone(ticket, self._director.sleep_until) as microphone:
            posted_at = datetime.now(UTC)
            broadcast_id = microphone.go_on_air()
            on_air.set()
            told = person.broadcast(broadcast_id)
            opening = told["broadcast"]["opening_digest"]
            name = f"{unit}-{LIVE}"
            order = Order(
                id=broadcast_id,
                kind=KIND_URGENT,
                way=LIVE,
                bulletin_class="priority",
                source=sources.write_spoken(person, name, speech.heard, opening),
                speech_at=sources.length_s(opening) if opening else 0.0,
                targets=tuple(told["clusters"]),
                posted_at=posted_at,
                closing_s=_CLOSING_S,
            )
            self._director.note(order)
            log.info("on_air", unit_id=unit, broadcast_id=broadcast_id)
            heard_at = datetime.fromisoformat(told["broadcast"]["start"])
            heard_at += timedelta(seconds=order.speech_at)
            delay = timedelta(seconds=ticket["delay_s"])
            microphone.speak(speech, heard_at - delay + _MARGIN)

    def _labels(self, unit: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Find what nodes say before and after a drill."""
        found = {one["purpose"]: str(one["digest"]) for one in self._people[unit].assets(unit)}
        return (found[DRILL_BEFORE],), (found[DRILL_AFTER],)

    def _wait_until_kept(self, unit: str) -> None:
        """Wait until the nodes have on their own disks what a warning says every time."""
        phrases = [
            str(one["digest"])
            for one in self._people[unit].assets(unit)
            if one["purpose"] == PHRASE
        ]

        def are_kept() -> bool:
            return all(
                keeps(self._state, cluster, digest)
                for cluster in province.clusters_of(unit)
                for digest in phrases
            )

        self._director.wait_for(are_kept, _KEPT_WITHIN_S, f"{_CODE} on the nodes of {unit}")

    def _wait_until_over(self, unit: str, order: Order) -> None:
        def is_over() -> bool:
            told = self._people[unit].broadcast(order.id)["deliveries"]
            return all(one["ended_at"] is not None for one in told)

        self._director.wait_for(is_over, _OVER_WITHIN_S, f"the end of {order.id}")

    def _pause(self) -> None:
        """Let nobody begin just when somebody else does."""
        self._director.sleep_until(datetime.now(UTC) + _APART)


def _words() -> Speech:
    """Say what is spoken live."""
    with TemporaryDirectory() as folder:
        piece = Studio(installed_synthesiser(), Path(folder)).speech("noi", LIVE_NOTICE)
        return spoken(read_samples(piece.path))
