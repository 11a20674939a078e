"""How long the pages of a province take, what an idle scheduler costs, and ways out of a clash.

``make bench-pages`` ends with one line of JSON. The answers are whole ones, through the web
application. Every figure is that of the slower of SQLite and PostgreSQL.
"""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from time import process_time

from flask.testing import FlaskClient
from sqlalchemy import Engine

from audio_library.store import Store
from server.app import create_app
from server.domain.authority import Actor, Role
from server.domain.clashes import SlotClashError
from server.domain.recurrence import local_day
from server.scheduler.tick import Scheduler, all_concerns
from server.services import offering, scheduling
from server.services.keyring import Keyring, create_secrets
from server.settings import Settings
from server.store.engine import open_sessions
from tests.bench.measuring import ENGINES, database, p50_ms, p95_ms, report, say, timed_s
from tests.factories.busy_days import enter_day
from tests.factories.countries import BigProvince, Size, enter_country
from tests.factories.pages import Site

SIZES = {
    "100": Size(communes=12, clusters=100, slots=1_000),
    "1000": Size(communes=120, clusters=1_000, slots=10_000),
}
MANY_SLOTS = Size(communes=120, clusters=1_000, slots=100_000)
TIMES = 20
IDLE_S = 60
OPERATOR = Actor.operator("loa")
WHO = "dai-tinh"

Figures = dict[str, dict[str, float]]


def main() -> None:
    """Measure on both engines; the slower counts."""
    pages: dict[str, list[dict[str, Figures]]] = {}
    found = [_of_engine(kind) for kind in ENGINES]
    for one in found:
        for size, figures in one.items():
            pages.setdefault(size, []).append(figures)
    report({size: _slower(of_engines) for size, of_engines in pages.items()})


def _slower(of_engines: list[dict[str, dict[str, float]]]) -> Figures:
    return {
        name: max((one[name] for one in of_engines), key=lambda figures: [*figures.values()][1])
        for name in of_engines[0]
    }


def _of_engine(kind: str) -> dict[str, Figures]:
    found = {}
    for name, size in SIZES.items():
        with database(kind) as engine, tempfile.TemporaryDirectory(prefix="loa-bench-") as state:
            found[f"{name} clusters, {size.slots} slots"] = _measure(engine, size, Path(state))
            say(f"{kind}, {name} clusters: {found}")
    with database(kind) as engine, tempfile.TemporaryDirectory(prefix="loa-bench-") as state:
        with open_sessions(engine).begin() as db:
            (province,) = enter_country(db, MANY_SLOTS)
        offers = {"offers": _offers(engine, province, _keyring(Path(state)))}
        found[f"{MANY_SLOTS.slots} slots"] = offers
        say(f"{kind}, {MANY_SLOTS.slots} slots: {offers}")
    return found


def _measure(engine: Engine, size: Size, state: Path) -> Figures:
    instant = datetime.now(UTC)
    site, province = _site(engine, size, state, instant)
    browser = site.browser(WHO)
    commune, cluster = province.communes[0], province.all_clusters[0]
    today = local_day(instant)
    monday = today - timedelta(days=today.weekday())
    week = f"from={monday}&until={monday + timedelta(days=7)}"
    rows = [province.unit_id, *province.communes]
    asked = {
        "clusters": "/",
        "clusters_part": "/clusters/list",
        "one_unit": f"/?unit={commune}",
        "found": f"/?q={cluster}",
        "desk_page": "/desk?span=week",
        "desk_first": f"/api/v1/desk?{week}&units={','.join(rows[:60])}",
        "desk_week": f"/api/v1/desk?{week}&units={','.join(rows)}",
        "aired_today": f"/units/{province.unit_id}/aired?day={today}",
        "aired_yesterday": f"/units/{province.unit_id}/aired?day={today - timedelta(days=1)}",
        "aired_tomorrow": f"/units/{province.unit_id}/aired?day={today + timedelta(days=1)}",
        "aired_commune": f"/units/{commune}/aired?day={today}",
        "aired_cluster": f"/clusters/{cluster}/aired?day={today}",
    }
    figures = {name: _times(_asking(browser, address)) for name, address in asked.items()}
    figures["offers"] = _offers(engine, province, site.keyring)
    figures["scheduler_idle"] = _idle(site, instant)
    site.app.extensions["loa"].engine.dispose()
    return figures


def _site(engine: Engine, size: Size, state: Path, instant: datetime) -> tuple[Site, BigProvince]:
    url = engine.url.render_as_string(hide_password=False)
    settings = Settings(state_dir=state, database_url=url)
    keyring = _keyring(settings.secrets_dir)
    sessions = open_sessions(engine)
    with sessions.begin() as db:
        (province,) = enter_country(db, size, keyring=keyring)
    with sessions.begin() as db:
        enter_day(db, province, now=instant, keyring=keyring)
    site = Site(create_app(settings), settings, sessions, keyring, "")
    site.let_in(WHO, Role.BROADCASTER.value, province.unit_id)
    return site, province


def _keyring(folder: Path) -> Keyring:
    create_secrets(folder)
    return Keyring.open(folder)


def _asking(browser: FlaskClient, address: str) -> Callable[[], object]:
    def ask() -> None:
        answer = browser.get(address, buffered=True)
        if answer.status_code != 200:
            raise AssertionError(f"{address}: {answer.status}")

    return ask


def _times(work: Callable[[], object]) -> dict[str, float]:
    work()
    begun_s = process_time()
    times_s = [timed_s(work) for _ in range(TIMES)]
    cpu_ms = 1000 * (process_time() - begun_s) / TIMES
    return {"p50_ms": p50_ms(times_s), "p95_ms": p95_ms(times_s), "cpu_ms": round(cpu_ms, 1)}


def _offers(engine: Engine, province: BigProvince, keyring: Keyring) -> dict[str, float]:
    """Seek ways out for a slot of the whole province in the middle of the morning's crowd."""
    today = local_day(datetime.now(UTC))
    wanted = scheduling.NewSlot(
        unit_id=province.unit_id,
        title="Bản tin của tỉnh",
        bulletin_class="ordinary",
        recurrence="weekly",
        weekdays=0b10,
        local_start=time(5, 10),
        length_s=1800.0,
        content_kind="live",
        first_day=today + timedelta(days=1),
        last_day=today + timedelta(days=365),
        units=(province.unit_id,),
    )
    instant = datetime.now(UTC)
    with open_sessions(engine)() as db:
        try:
            scheduling.add_slot(db, wanted, now=instant, actor=OPERATOR, keyring=keyring)
        except SlotClashError as refused:
            found = refused.clashes

    def seek() -> None:
        with open_sessions(engine)() as db:
            offering.offers(db, wanted, found, now=instant, actor=OPERATOR)

    return _times(seek)


def _idle(site: Site, instant: datetime) -> dict[str, float]:
    """Let the scheduler tick for a minute in which nothing happens."""
    concerns = all_concerns(
        site.keyring, plan_days=14, site="", store=Store(site.settings.asset_dir)
    )
    scheduler = Scheduler(site.sessions, concerns)
    for second in range(-20, 0):
        scheduler.tick(instant + timedelta(seconds=second))
    begun_s = process_time()
    worked_s = [
        timed_s(lambda second=second: scheduler.tick(instant + timedelta(seconds=second)))
        for second in range(IDLE_S)
    ]
    return {
        "cpu_percent": round(100 * (process_time() - begun_s) / IDLE_S, 2),
        "busy_percent": round(100 * sum(worked_s) / IDLE_S, 2),
        "longest_tick_ms": round(1000 * max(worked_s), 1),
    }


if __name__ == "__main__":
    main()
