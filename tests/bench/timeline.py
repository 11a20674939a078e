"""How long the plans and timelines of a province, and of a country, take.

``make bench-timeline`` ends with one line of JSON. Every figure is that of the slower of SQLite and
PostgreSQL. A process keeps the tree in memory, and the slots of the weeks that it was asked for
last as long as their versions stay the same; so it does here: what the province's slots say to
every cluster is known after the first few, what those of one commune say is not. To
compile a plan is to go from the rows to its bytes and their digest, as is done before one is
published.
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from itertools import cycle, islice
from multiprocessing import get_context

from sqlalchemy.orm import Session

from protocol.messages import encode
from server.domain.recurrence import local_day
from server.observability import settle
from server.services import planning, scheduling, units
from server.store.engine import Sessions, open_engine, open_sessions
from tests.bench.measuring import ENGINES, database, p95_ms, peak_rss_mb, report, rest, say, timed_s
from tests.factories.claims import NOON
from tests.factories.countries import BigProvince, Size, enter_country

ASKED = 200
TIMES = 3
PROVINCES = (Size(slots=1_000), Size(slots=3_000), Size())
A_PROVINCE_OF_MANY = Size(communes=98, clusters=2942, slots=2942)
"""Of which 34 have 100,000 clusters and 100,000 slots."""
COUNTRIES = (2, 8, 34)
DAYS = timedelta(days=7)


def cluster_7d_p95_ms(sessions: Sessions, province: BigProvince) -> float:
    """Ask for a week of one cluster after another, as a page does."""
    start, _ = planning.window(NOON, 1)

    def ask(cluster_id: str) -> None:
        with sessions.begin() as db:
            spans = scheduling.cluster_timeline(
                db, cluster_id=cluster_id, start=start, end=start + DAYS, now=NOON
            )
        assert any(span.claim for span in spans)

    clusters = list(islice(cycle(province.all_clusters[:: 866 // ASKED]), ASKED + 5))
    times_s = [timed_s(lambda one=one: ask(one)) for one in clusters]
    return p95_ms(times_s[5:])


def recompiled(db: Session, unit_ids: Sequence[str]) -> int:
    """Compile the plans of some units, from the rows to their bytes and digests."""
    tree = units.tree(db, today=local_day(NOON))
    start, end = planning.window(NOON, planning.PLAN_DAYS)
    digests = set()
    for some in planning.in_parts(unit_ids):
        for plan in planning.plans_of(db, some, start=start, end=end, now=NOON, units=tree):
            digests.add(hashlib.sha256(encode(plan)).hexdigest())
    return len(digests)


def recompiled_by_itself(url: str, unit_ids: Sequence[str]) -> tuple[float, float]:
    """Do so in a process of its own; tell the time it took, and its memory at the most."""
    engine = open_engine(url)
    with open_sessions(engine, reads_only=True)() as db:
        time_s = timed_s(lambda: recompiled(db, unit_ids))
    engine.dispose()
    return round(time_s, 2), peak_rss_mb()


def of_provinces(kind: str) -> tuple[dict[str, float], dict[str, float]]:
    """Measure provinces of several sizes, which stand in one database side by side."""
    weeks, plans = {}, {}
    with database(kind) as engine:
        sessions = open_sessions(engine, reads_only=True)
        with open_sessions(engine).begin() as db:
            entered = enter_country(db, *PROVINCES)
        rest(engine)
        for size, province in zip(PROVINCES, entered, strict=True):
            name = str(size.slots)
            weeks[name] = cluster_7d_p95_ms(sessions, province)
            unit_ids = [province.unit_id, *province.communes]
            with sessions() as db:
                runs = [timed_s(lambda some=unit_ids: recompiled(db, some)) for _ in range(TIMES)]
            plans[name] = round(sorted(runs)[TIMES // 2], 2)
            say(f"{kind}, {name} slots: a week {weeks[name]} ms, all plans {plans[name]} s")
    return weeks, plans


def of_countries(kind: str) -> tuple[dict[str, float], float]:
    """Measure a country, and parts of it."""
    times, rss_mb = {}, 0.0
    with database(kind) as engine:
        with open_sessions(engine).begin() as db:
            entered = enter_country(db, A_PROVINCE_OF_MANY, provinces=COUNTRIES[-1])
        rest(engine)
        say(f"{kind}: a country is entered")
        url = engine.url.render_as_string(hide_password=False)
        for count in COUNTRIES:
            unit_ids = [one for each in entered[:count] for one in (each.unit_id, *each.communes)]
            name = str(count * A_PROVINCE_OF_MANY.slots)
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
                times[name], rss_mb = alone.submit(recompiled_by_itself, url, unit_ids).result()
            say(f"{kind}, {name} slots of the country: {times[name]} s, {rss_mb} MB")
    return times, rss_mb


def slower(figures: Sequence[dict[str, float]]) -> dict[str, float]:
    return {size: max(each[size] for each in figures) for size in figures[0]}


def main() -> None:
    settle()  # as in a web worker
    weeks, plans = map(slower, zip(*(of_provinces(kind) for kind in ENGINES), strict=True))
    countries = [of_countries(kind) for kind in ENGINES]
    whole = slower([times for times, _ in countries])
    report(
        {
            "cluster_7d_p95_ms": [*weeks.values()][-1],
            "province_14d_s": [*plans.values()][-1],
            "country_14d_s": [*whole.values()][-1],
            "peak_rss_mb": max(rss_mb for _, rss_mb in countries),
            "growth": {
                "cluster_7d_p95_ms": weeks,
                "province_14d_s": plans,
                "country_14d_s": whole,
            },
        }
    )


if __name__ == "__main__":
    main()
