"""How long from an order to its first sample at a whole node, judged by the node's recording.

From the instant at which the order was made, before it is signed, committed and published, to the
first sample of its opening chime; nothing is added for nodes to begin together (``LOA_LEAD_S=0``).
"""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from server.cli.demo import province
from server.domain.recurrence import LOCAL
from server.services.broadcasting import find
from server.store.engine import open_engine, open_sessions
from server.store.models import BroadcastRow
from tests.bench.links import slow_links
from tests.bench.measuring import p50_ms, p95_ms, say
from tests.factories.sounds import lag_s
from tests.factories.towns import RATE_HZ, Sound, Town, a_town

COMMUNE = province.VI_XUYEN
CLUSTER = province.clusters_of(COMMUNE)[0]
ROUNDS = 10


def first_sample_ms() -> dict[str, float]:
    """Measure while nothing plays, while a programme plays, and while the node downloads."""
    with (
        tempfile.TemporaryDirectory(prefix="loa-bench-") as folder,
        slow_links() as slowly,
        a_town(Path(folder), {CLUSTER}, lead_s=0.0, audio_by=slowly.to_address) as town,
    ):
        notice = town.upload(COMMUNE, seed=1, seconds=6.0)
        first = town.announce(COMMUNE, notice, [CLUSTER])  # brings chime and speech to the node
        town.wait(lambda: town.has_audio(CLUSTER, notice), 60, "the notice at the node")
        _stopped(town, first)
        idle_s = [_round_s(town, notice) for _ in range(ROUNDS)]
        song = town.upload(COMMUNE, seed=2, seconds=240.0)
        start = (datetime.now(UTC) + timedelta(seconds=40)).replace(microsecond=0)
        town.schedule(COMMUNE, song, start)
        # A long one for tomorrow: it is on its way all the time.
        later = town.upload(COMMUNE, seed=3, seconds=900.0)
        tomorrow = datetime.now(LOCAL) + timedelta(days=1)
        town.schedule(COMMUNE, later, tomorrow.astimezone(UTC).replace(microsecond=0))
        town.wait(lambda: _downloads(town), 60, "the download of tomorrow's programme")
        loading_s = [_round_s(town, notice) for _ in range(ROUNDS)]
        still = _downloads(town)
        town.wait(lambda: town.has_audio(CLUSTER, song), 120, "the programme at the node")
        town.wait_until(start + timedelta(seconds=2))
        playing_s = [_round_s(town, notice) for _ in range(ROUNDS)]
    if not still:
        message = "the download had ended before the last round"
        raise RuntimeError(message)
    say(f"first sample, ms: idle {p50_ms(idle_s)}, downloading {p50_ms(loading_s)}")
    return {
        "first_sample_p50_ms": p50_ms([*idle_s, *loading_s, *playing_s]),
        "first_sample_p95_ms": p95_ms([*idle_s, *loading_s, *playing_s]),
        "first_sample_idle_p95_ms": p95_ms(idle_s),
        "first_sample_downloading_p95_ms": p95_ms(loading_s),
        "first_sample_playing_p95_ms": p95_ms(playing_s),
    }


def _round_s(town: Town, notice: Sound) -> float:
    """Announce, find the chime in the recording, stop; the time from order to first sample."""
    broadcast = town.announce(COMMUNE, notice, [CLUSTER])
    engine = open_engine(town.settings.database)
    with open_sessions(engine, reads_only=True)() as db:
        row: BroadcastRow = find(db, broadcast)
        ordered, opening = row.created_at, town.prepared(row.opening_digest or "")
    engine.dispose()
    town.wait_until(ordered + timedelta(seconds=1.2))
    heard = town.heard(CLUSTER)
    at = heard.sample(ordered + timedelta(seconds=0.8))
    into_s = lag_s(opening.samples, heard.samples[at : at + round(0.3 * RATE_HZ)])
    _stopped(town, broadcast)
    return 0.8 - into_s


def _stopped(town: Town, broadcast: str) -> None:
    """Stop an announcement, and wait until the node is done with it: the next would wait for it."""
    town.person(COMMUNE).stop(broadcast)
    town.wait(lambda: bool(town.records(broadcast)), 30, "the record")


def _downloads(town: Town) -> bool:
    folder = town.settings.state_dir / "nodes" / CLUSTER / "audio"
    return any(path.suffix == ".part" for path in folder.rglob("*"))
