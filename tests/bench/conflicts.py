"""How long it takes to check a slot before it is saved, with many others there.

The slot is one of the province: half an hour every Tuesday for a year, at all its clusters, in the
middle of the morning's crowd, so that hundreds stand in its way. The check must name just those
that a comparison with every slot names.

It is a web worker that has checked a slot of those hours before: the tree is in its memory, and of
the recurrences that it reads anew those that it has worked out last (``rule_of_columns``). It ends
each look as a page does, so that PostgreSQL keeps the questions that it has been asked.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from itertools import cycle

from sqlalchemy import Engine

from protocol.messages import BulletinClass
from server.domain.authority import Actor
from server.domain.clashes import MOST_NAMED, MOST_SOUGHT_FOR, Occupant, clashes, occupant
from server.domain.recurrence import local_day
from server.domain.units import Tree
from server.observability import settle
from server.services import clashing, offering, scheduling, units
from server.services.planning import slots_of
from server.store.engine import open_sessions
from tests.bench.measuring import ENGINES, database, p50_ms, p95_ms, report, rest, say, timed_s
from tests.factories.claims import NOON
from tests.factories.countries import Size, enter_country
from tests.factories.slots import TODAY

SIZES = (1_000, 10_000, 100_000)
TIMES = 40
OFFERED = 10
TUESDAY = 0b0000010
OPERATOR = Actor.operator("loa")

IRREGULAR = (
    ("monthly", "BYMONTHDAY=15"),
    ("lunar", "DAY=15"),
    ("rrule", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU"),
)


def main() -> None:
    """Measure on both engines; the slower counts."""
    settle()  # as in a web worker
    by_engine: dict[str, dict[str, dict[str, float]]] = {}
    for kind in ENGINES:
        for slots in SIZES:
            with database(kind) as engine:
                figures = _measure(engine, slots)
            by_engine.setdefault(kind, {})[str(slots)] = figures
            say(f"{kind}, {slots} slots: {figures}")
    slower = {
        size: max((by_engine[kind][size] for kind in ENGINES), key=lambda one: one["p95_ms"])
        for size in by_engine[ENGINES[0]]
    }
    report({"sizes": slower, "engines": by_engine})


def _measure(engine: Engine, slots: int) -> dict[str, float]:
    sessions = open_sessions(engine)
    with sessions.begin() as db:
        (province,) = enter_country(db, Size(slots=slots))
    rest(engine)
    wanted = scheduling.NewSlot(
        unit_id=province.unit_id,
        title="Bản tin của tỉnh",
        bulletin_class="ordinary",
        recurrence="weekly",
        weekdays=TUESDAY,
        local_start=time(5, 10),
        length_s=1800.0,
        content_kind="live",
        first_day=TODAY + timedelta(days=1),
        last_day=TODAY + timedelta(days=365),
        units=(province.unit_id,),
    )

    def check(new: scheduling.NewSlot) -> None:
        with sessions.begin() as db:
            found = scheduling.check_slot(db, new, now=NOON, actor=OPERATOR)
        if not found:
            message = "nothing stands in the way of a slot in the middle of the crowd"
            raise AssertionError(message)

    _must_be_all(engine, wanted)
    starts = cycle(time(5, minute) for minute in (5, 10, 15, 20))
    weekly = _times(lambda: check(replace(wanted, local_start=next(starts))))
    figures = {"p50_ms": p50_ms(weekly), "p95_ms": p95_ms(weekly)}
    for recurrence, pattern in IRREGULAR:
        asked = replace(wanted, recurrence=recurrence, pattern=pattern)
        figures[f"{recurrence}_p95_ms"] = p95_ms(_times(lambda asked=asked: check(asked)))
    # Short: with more than five hundred in the way nobody looks for ways out.
    short = replace(wanted, length_s=60.0)
    figures["offers_p95_ms"] = p95_ms(_times(lambda: _offered(engine, short), OFFERED))
    return figures


def _times(work: Callable[[], object], times: int = TIMES) -> list[float]:
    work()
    return [timed_s(work) for _ in range(times)]


def _offered(engine: Engine, wanted: scheduling.NewSlot) -> None:
    """Find what is in the way, and look for ways out."""
    with open_sessions(engine).begin() as db:
        tree = units.tree(db, today=local_day(NOON))
        new = _occupant(wanted, tree)
        found = clashing.in_the_way(db, new, units=tree, now=NOON, actor=OPERATOR)
        if not 0 < len(found) <= MOST_SOUGHT_FOR:
            message = f"{len(found)} clashes: no ways out are looked for"
            raise AssertionError(message)
        offering.offers(db, wanted, found, now=NOON, actor=OPERATOR)


def _occupant(wanted: scheduling.NewSlot, tree: Tree) -> Occupant:
    return Occupant(
        "new",
        wanted.unit_id,
        "",
        0,
        wanted.title,
        BulletinClass.ORDINARY,
        scheduling.rule_of(wanted, timedelta(seconds=wanted.length_s or 0)),
        tree.clusters_under(wanted.unit_id),
    )


def _must_be_all(engine: Engine, wanted: scheduling.NewSlot) -> None:
    """Compare with every slot that there is, one by one."""
    with open_sessions(engine)() as db:
        tree = units.tree(db, today=local_day(NOON))
        new = _occupant(wanted, tree)
        found = clashing.in_the_way(db, new, units=tree, now=NOON, actor=OPERATOR)
        every = (occupant(slot) for slot in slots_of(db, units=tree))
        named = {clash.other.slot_id for clash in clashes(new, every, NOON)}
    if {clash.other.slot_id for clash in found} != named or len(named) < MOST_NAMED // 4:
        message = f"{len(found)} clashes instead of {len(named)}"
        raise AssertionError(message)
    say(f"{len(named)} clashes")


if __name__ == "__main__":
    main()
