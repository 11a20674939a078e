"""Random days of one cluster, told twice: in the server's values, and in those of the oracle."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from protocol.messages import (
    BulletinClass,
    Claim,
    ClaimKind,
    Content,
    Mode,
    Plan,
    Relay,
    Severity,
    Targets,
)
from protocol.plan import Place, Span, claims_at, timeline
from protocol.policy import merge
from server.domain.compilation import compiled
from server.domain.frames import TimeFrame, rules
from server.domain.recurrence import EVERY_DAY, Recurrence, Rule, day_bounds
from server.domain.slots import Slot, claim_id, slot_of_claim
from server.domain.units import Unit
from tests.factories.claims import CLUSTER, COMMUNE, PROVINCE, a_claim, an_asset
from tests.factories.oracles import A_DAY_MIN, MINUTE, Hours, Programme, heard, minute_of
from tests.factories.slots import a_slot

A_DAY = timedelta(days=1)
HERE = Place(CLUSTER, (PROVINCE, COMMUNE))
UNITS = (Unit(PROVINCE, "Tỉnh", 0, None), Unit(COMMUNE, "Xã", 1, PROVINCE))
SEAMS = (
    date(2026, 12, 31),  # the year ends
    date(2027, 2, 28),  # no leap day follows
    date(2028, 2, 28),
    date(2028, 2, 29),
    date(2027, 4, 30),  # a month ends
    date(2026, 11, 21),  # a Saturday
)
MINUTES = (0, 1, 10, 330, 720, 1410, 1430, 1439)
LENGTHS_MIN = (1, 10, 30, 60, 720, 780, 1440)


@dataclass(frozen=True, slots=True)
class Case:
    """Some days of the cluster.

    Attributes:
        programmes: Those of the oracle that reach the cluster.
    """

    first_day: date
    days: int
    slots: tuple[Slot, ...]
    announcements: tuple[Claim, ...]
    frames: tuple[TimeFrame, ...]
    ranks: dict[str, int]
    programmes: tuple[Programme, ...]

    @property
    def window(self) -> tuple[datetime, datetime]:
        return day_bounds(self.first_day)[0], day_bounds(self.first_day + self.days * A_DAY)[0]

    @property
    def minutes(self) -> range:
        start = minute_of(self.first_day)
        return range(start, start + self.days * A_DAY_MIN)

    def spans(self) -> tuple[Span, ...]:
        """Compile and merge the plans of the units above, as server and node do."""
        start, end = self.window
        plans = [self._plan(unit, start, end) for unit in UNITS]
        return timeline(claims_at(plans, HERE), merge(plans, COMMUNE), start, end)

    def _plan(self, unit: Unit, start: datetime, end: datetime) -> Plan:
        return Plan(
            unit=unit.unit_id,
            version=1,
            start=start,
            end=end,
            claims=compiled(
                [slot for slot in self.slots if slot.unit_id == unit.unit_id],
                [claim for claim in self.announcements if claim.unit == unit.unit_id],
                start,
                end,
            ),
            rules=rules(unit, self.frames, start, end),
            ranks=self.ranks if unit.unit_id == COMMUNE else {},
        )

    def heard(self, minutes: Sequence[int]) -> list[str]:
        """Tell whose each minute is; empty: nobody's."""
        start, _ = self.window
        spans = self.spans()
        begins = [(span.start - start) / MINUTE + self.minutes.start for span in spans]
        claims = [spans[bisect_right(begins, at) - 1].claim for at in minutes]
        return [
            "" if one is None else slot_of_claim(one.claim_id) or one.claim_id for one in claims
        ]

    def expected(self, at: int) -> str:
        """Ask the oracle who is heard at a minute; empty: nobody."""
        # The top unit's frames are asked first.
        frames = sorted(self.frames, key=lambda frame: frame.unit_id != PROVINCE)
        won = heard(
            self.programmes,
            at,
            frames=[_hours(frame) for frame in frames if not frame.quiet],
            quiet=[_hours(frame) for frame in frames if frame.quiet],
            ranks=self.ranks,
        )
        return won.name if won else ""

    def turns(self) -> list[int]:
        """List the minutes at which anything may change, and those before them."""
        of_day = {0}
        for programme in self.programmes:
            of_day |= {programme.minute, programme.minute + programme.length_min}
        for frame in self.frames:
            hours = _hours(frame)
            of_day |= {hours.start_min, hours.end_min}
        around = {(minute - before) % A_DAY_MIN for minute in of_day for before in (0, 1)}
        first = self.minutes.start
        return [first + day * A_DAY_MIN + at for day in range(self.days) for at in sorted(around)]


def a_case(random: Random) -> Case:
    """Draw a case; the same chance gives the same case."""
    seam = random.choice((*SEAMS, date(2026, 1, 1) + random.randrange(1000) * A_DAY))
    first_day = seam - random.choice((0, 0, 1)) * A_DAY
    minutes = random.sample(MINUTES, 3)  # few, so that they often want the same
    slots, announcements, programmes = [], [], []
    for number in range(random.randrange(2, 7)):
        slot, programme = _a_slot(random, number, seam, random.choice(minutes))
        slots.append(slot)
        if programme is not None:
            programmes.append(programme)
    for number in range(random.choice((0, 0, 1, 2))):
        claim, programme = _an_announcement(random, number, seam, random.choice(minutes))
        announcements.append(claim)
        programmes.append(programme)
    named = [
        claim_id(slot.slot_id, slot.rule.occurrence(seam)[0])
        for slot in slots
        if random.random() < 0.3
    ]
    return Case(
        first_day=first_day,
        days=random.choice((1, 2)),
        slots=tuple(slots),
        announcements=tuple(announcements),
        frames=tuple(_a_frame(random) for _ in range(random.choice((0, 0, 1, 2, 3)))),
        ranks={name: random.randrange(3) for name in named},
        programmes=tuple(programmes),
    )


def _a_slot(random: Random, number: int, seam: date, minute: int) -> tuple[Slot, Programme | None]:
    unit = random.choice(UNITS)
    law = random.choice(("ordinary", "ordinary", "priority"))
    length_min = random.choice(LENGTHS_MIN)
    rule, comes_on = _a_rule(random, seam, minute, length_min)
    targets, is_meant = random.choice(
        (
            (Targets(units=(unit.unit_id,)), True),
            (Targets(units=(unit.unit_id,)), True),
            (Targets(clusters=(CLUSTER,)), True),
            (Targets(units=(unit.unit_id,), exclude=("cum-2",)), True),
            (Targets(units=(unit.unit_id,), exclude=(CLUSTER,)), False),
            (Targets(units=("xa-2",)), False),
        )
    )
    slot = a_slot(
        f"s{number}",
        unit_id=unit.unit_id,
        level=unit.level_rank,
        bulletin_class=BulletinClass(law),
        rule=rule,
        targets=targets,
        items=(an_asset(duration_s=60.0 * length_min),),
    )
    programme = Programme(
        f"s{number}", unit.unit_id, unit.level_rank, law, minute, length_min, comes_on
    )
    return slot, programme if is_meant else None


def _a_rule(
    random: Random, seam: date, minute: int, length_min: int
) -> tuple[Rule, Callable[[date], bool]]:
    first = seam - random.choice((0, 0, 1, 2, -1)) * A_DAY
    last = random.choice((None, None, first + random.randrange(3) * A_DAY))
    left_out = frozenset(random.choice(((), (), (seam,))))
    weekdays = random.randrange(1, EVERY_DAY + 1)
    kind, pattern, says = random.choice(
        (
            ("once", "", lambda day: day == first),
            ("daily", "", lambda _: True),
            ("daily", "", lambda _: True),
            ("weekly", "", lambda day: bool(weekdays >> day.weekday() & 1)),
            ("monthly", "BYMONTHDAY=-1", lambda day: (day + A_DAY).day == 1),
            ("monthly", "BYMONTHDAY=29", lambda day: day.day == 29),
            ("monthly", "BYDAY=-1SU", _is_last_sunday),
            ("rrule", "FREQ=DAILY;INTERVAL=2", lambda day: (day - first).days % 2 == 0),
            ("rrule", "FREQ=DAILY;COUNT=2", lambda day: (day - first).days < 2),
        )
    )
    ends = first if kind == "once" else last
    rule = Rule(
        Recurrence(kind),
        time(minute // 60, minute % 60),
        timedelta(minutes=length_min),
        first,
        ends,
        weekdays if kind == "weekly" else EVERY_DAY,
        pattern,
        excluded=left_out,
    )

    def comes_on(day: date) -> bool:
        is_running = first <= day and (ends is None or day <= ends)
        return is_running and day not in left_out and says(day)

    return rule, comes_on


def _is_last_sunday(day: date) -> bool:
    return day.weekday() == 6 and (day + 7 * A_DAY).month != day.month


def _an_announcement(
    random: Random, number: int, seam: date, minute: int
) -> tuple[Claim, Programme]:
    unit = random.choice(UNITS)
    law = random.choice(("priority", "emergency", "emergency", "ordinary"))
    length_min = random.choice((0, 1, 10, 60))
    drill, severity = random.random() < 0.2, random.choice((2, 3))
    start = day_bounds(seam)[0] + minute * MINUTE
    issued_min = random.choice((-5, 0))
    claim = a_claim(
        claim_id=f"b{number}",
        unit=unit.unit_id,
        level=unit.level_rank,
        bulletin_class=BulletinClass(law),
        kind=random.choice((ClaimKind.ANNOUNCEMENT, ClaimKind.LIVE)),
        mode=Mode.DRILL if drill else Mode.REAL,
        severity=Severity(severity),
        issued_at=start + issued_min * MINUTE,
        start=start,
        end=start + length_min * MINUTE,
        targets=Targets(units=(unit.unit_id,)),
        # Somebody who speaks until the end, however often interrupted.
        content=Content(relay=Relay(url="https://nghe.example/song")),
    )
    programme = Programme(
        name=claim.claim_id,
        unit=unit.unit_id,
        level=unit.level_rank,
        law=law,
        minute=minute_of(seam) + minute,
        length_min=length_min,
        scheduled=False,
        drill=drill,
        severity=severity,
        issued_min=minute_of(seam) + minute + issued_min,
    )
    return claim, programme


def _a_frame(random: Random) -> TimeFrame:
    unit, owner = random.choice(((PROVINCE, PROVINCE), (PROVINCE, COMMUNE), (COMMUNE, COMMUNE)))
    start, end = random.sample((0, 330, 720, 1410, 1439), 2)
    quiet = random.random() < 0.4
    return TimeFrame(
        unit_id=unit,
        owner_id=None if quiet else owner,
        weekdays=random.choice((EVERY_DAY, random.randrange(1, EVERY_DAY + 1))),
        local_start=time(start // 60, start % 60),
        local_end=time(end // 60, end % 60),
        quiet=quiet,
    )


def _hours(frame: TimeFrame) -> Hours:
    start, end = frame.local_start, frame.local_end
    return Hours(
        frozenset(day for day in range(7) if frame.weekdays >> day & 1),
        start.hour * 60 + start.minute,
        end.hour * 60 + end.minute,
        frame.owner_id or "",
    )
