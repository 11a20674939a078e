"""Let somebody hear what a cluster will sound between two instants."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from audio_library.child import stream_module
from audio_library.parts import Part, Wanted
from audio_library.store import Store
from protocol.ids import AssetDigest
from server.domain.errors import Finding, PreviewRefusedError
from server.domain.recurrence import is_usable
from server.domain.rehearsal import LONGEST, Rehearsal, rehearsed
from server.domain.units import Tree
from server.services.planning import heard_at
from server.store.models import ClusterRow

LOOK_BACK = timedelta(days=1)
"""No claim lasts longer."""


def rehearsal_of(
    db: Session,
    cluster_id: str,
    *,
    since: datetime,
    until: datetime,
    skip_silence: bool,
    now: datetime,
    units: Tree,
) -> Rehearsal:
    """Work out what one cluster sounds from ``since`` to ``until``, as its plans stand now.

    Raises:
        UnknownThingError: There is no such cluster.
        PreviewRefusedError: The two instants make no stretch, or one that is too long.
    """
    if not (is_usable(since.date()) and is_usable(until.date()) and since < until):
        raise PreviewRefusedError([Finding("preview-reversed")])
    if until - since > LONGEST:
        raise PreviewRefusedError([Finding("preview-too-long")])
    start = since - LOOK_BACK
    heard = heard_at(db, cluster_id, start=start, end=until, now=now, units=units)
    return rehearsed(
        heard.claims,
        policy=heard.policy,
        ceiling_db=db.get_one(ClusterRow, cluster_id).volume_ceiling_db,
        since=since,
        until=until,
        skip_silence=skip_silence,
    )


def stream_of(rehearsal: Rehearsal, audio: Store) -> Iterator[bytes]:
    """Yield the sound of a rehearsal as one Ogg/Opus stream, made as fast as it is read."""
    wanted = Wanted(
        parts=tuple(
            Part(
                str(audio.path(AssetDigest(cut.digest)).absolute()),
                cut.from_s,
                cut.length_s,
                cut.at_s,
                cut.gain_db,
            )
            for cut in rehearsal.cuts
        ),
        length_s=rehearsal.length_s,
    )
    return stream_module("audio_library.rehearse", stdin=msgspec.json.encode(wanted))
