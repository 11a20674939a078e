"""Kill -9, a broker that is away: every order is played or reported, and reported once."""

from datetime import UTC, datetime, timedelta

from server.cli.demo import province
from tests.factories.towns import Sound, Town, holes

COMMUNE = province.VI_XUYEN
CLUSTERS = ("lang-ma", "ban-cap", "dong-cap")
OTHER = province.DONG_VAN
OTHER_CLUSTER = "pho-co"
REPORTED_S = 30.0
HICCUPS = 2
"""Windows of a quarter second that programs starting on the same two cores may cost a recording;
whatever a node does wrong with an order costs more."""


def in_seconds(seconds: float) -> datetime:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)


def wait_for_records(town: Town, claim_id: str, clusters: tuple[str, ...]) -> dict[str, dict]:
    """Wait for the record of every cluster; each must have exactly one."""

    def are_there() -> bool:
        return {row["cluster_id"] for row in town.records(claim_id)} == set(clusters)

    town.wait(are_there, REPORTED_S, f"records of {claim_id}")
    rows = town.records(claim_id)
    assert sorted(row["cluster_id"] for row in rows) == sorted(clusters)
    return {row["cluster_id"]: dict(row) for row in rows}


def wait_for_audio(town: Town, sound: Sound, clusters: tuple[str, ...]) -> None:
    town.wait(
        lambda: all(town.has_audio(cluster, sound) for cluster in clusters), 20, "audio fetched"
    )


def test_a_programme_outlives_the_death_of_every_program(town: Town):
    programme = town.upload(COMMUNE, seed=11, seconds=24.0)
    notice = town.upload(OTHER, seed=12, seconds=6.0)
    start = in_seconds(7)
    claim = town.schedule(COMMUNE, programme, start)
    wait_for_audio(town, programme, CLUSTERS)

    town.wait_until(start + timedelta(seconds=3))
    town.kill("web")
    town.wait_until(start + timedelta(seconds=4))
    town.kill("scheduler")
    town.wait_until(start + timedelta(seconds=8))
    town.kill("gateway")
    broadcast = town.announce(OTHER, notice, [OTHER_CLUSTER])
    town.wait_until(start + timedelta(seconds=12))
    town.kill("broker")
    town.take_broker_away()
    town.bring_broker()
    town.wait_until(start + timedelta(seconds=15))
    town.kill("node-ban-cap")
    killed = datetime.now(UTC)
    town.wait_until(start + timedelta(seconds=programme.length_s))

    records = wait_for_records(town, claim, CLUSTERS)
    assert records["lang-ma"]["outcome"] == records["dong-cap"]["outcome"] == "played"
    assert records["ban-cap"]["outcome"] == "cut"
    assert wait_for_records(town, broadcast, (OTHER_CLUSTER,))[OTHER_CLUSTER]["outcome"] == "played"

    for cluster in ("lang-ma", "dong-cap"):
        assert len(holes(town.heard(cluster), programme, start)) <= HICCUPS, cluster
    lost = holes(town.heard("ban-cap"), programme, start)
    killed_s = (killed - start).total_seconds()
    away = [at for at in lost if killed_s - 0.5 < at < killed_s + 5.0]
    assert away, "it was killed"
    assert len(lost) - len(away) <= HICCUPS, "it was back within 5 s, where the clock says"


def test_while_the_broker_is_away_nodes_play_their_plan_and_nothing_is_lost(town: Town):
    programme = town.upload(COMMUNE, seed=21, seconds=6.0)
    notice = town.upload(OTHER, seed=22, seconds=5.0)
    start = in_seconds(7)
    claim = town.schedule(COMMUNE, programme, start)
    wait_for_audio(town, programme, CLUSTERS)
    town.take_broker_away()

    town.wait_until(start + timedelta(seconds=1))
    broadcast = town.announce(OTHER, notice, [OTHER_CLUSTER])
    town.wait_until(start + timedelta(seconds=programme.length_s + 0.5))
    assert town.records(claim) == []
    state = town.person(OTHER).broadcast(broadcast)["deliveries"][0]["state"]
    assert state == "sent"
    for cluster in CLUSTERS:
        assert len(holes(town.heard(cluster), programme, start)) <= HICCUPS, cluster

    returned = datetime.now(UTC)
    town.bring_broker()
    records = wait_for_records(town, claim, CLUSTERS)
    assert {row["outcome"] for row in records.values()} == {"played"}
    late = wait_for_records(town, broadcast, (OTHER_CLUSTER,))[OTHER_CLUSTER]
    assert late["outcome"] == "played"
    first = late["segments"][0]
    zero = datetime.fromisoformat(late["start"]) - timedelta(seconds=first["position_s"])
    lost = holes(town.heard(OTHER_CLUSTER), opened(town, broadcast, notice), zero)
    assert len(lost) <= HICCUPS
    assert zero > returned, "from its beginning, once the node has it"


def opened(town: Town, broadcast_id: str, notice: Sound) -> Sound:
    """What an announcement sounds like, its opening chime in front."""
    digest = town.person(OTHER).broadcast(broadcast_id)["broadcast"]["opening_digest"]
    return town.prepared(digest).then(notice)
