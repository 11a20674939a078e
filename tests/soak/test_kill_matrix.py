"""Every program killed at many moments of a programme, an announcement and a stop.

Run by ``make test-soak``; the short form of it stands in the e2e lane.
"""

from datetime import UTC, datetime, timedelta

import pytest

from server.cli.demo import province
from tests.factories.towns import Town, a_town

COMMUNE = province.VI_XUYEN
CLUSTERS = ("lang-ma", "ban-cap", "dong-cap")
PROGRAMS = ("web", "scheduler", "gateway", "broker", "node-ban-cap")
MOMENTS_S = (-1.0, 0.5, 4.0, 7.5, 9.0)
"""Before the programme, at its start, in it, in the announcement, right after the stop."""


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    with a_town(tmp_path_factory.mktemp("town"), set(CLUSTERS)) as running:
        yield running


@pytest.mark.timeout(180)
@pytest.mark.parametrize("moment_s", MOMENTS_S)
@pytest.mark.parametrize("program", PROGRAMS)
def test_every_order_ends_in_one_record_for_each_target(town: Town, program: str, moment_s: float):
    seed = 100 + 10 * PROGRAMS.index(program) + MOMENTS_S.index(moment_s)
    programme = town.upload(COMMUNE, seed=seed, seconds=14.0)
    notice = town.upload(COMMUNE, seed=seed + 500, seconds=12.0)
    start = (datetime.now(UTC) + timedelta(seconds=7)).replace(microsecond=0)
    claim = town.schedule(COMMUNE, programme, start)

    kill_at = start + timedelta(seconds=moment_s)
    acts = sorted([(kill_at, "kill"), (in_s(start, 5.0), "announce"), (in_s(start, 8.5), "stop")])
    broadcast = ""
    for instant, act in acts:
        town.wait_until(instant)
        if act == "kill":
            kill(town, program)
        elif act == "announce":
            town.wait(town.web_answers, 30, "pages answer")
            broadcast = town.announce(COMMUNE, notice, list(CLUSTERS))
        else:
            town.wait(town.web_answers, 30, "pages answer")
            town.person(COMMUNE).stop(broadcast)

    town.wait(town.web_answers, 30, "pages answer")
    for order in (claim, broadcast):
        town.wait(lambda order=order: len(town.records(order)) >= len(CLUSTERS), 60, "records")
        assert sorted(row["cluster_id"] for row in town.records(order)) == sorted(CLUSTERS)


def in_s(start: datetime, seconds: float) -> datetime:
    return start + timedelta(seconds=seconds)


def kill(town: Town, program: str) -> None:
    town.kill(program)
    if program == "broker":
        town.take_broker_away()
        town.bring_broker()
