"""What each cluster of a unit will sound over some days, as the rows of the desk show it."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol.plan import Span, timeline
from server.domain.authority import Action, Actor, demand
from server.domain.recurrence import day_bounds, local_day
from server.domain.units import Tree
from server.services.desk import demand_narrow
from server.services.planning import heard_by
from server.services.scheduling import while_it_sounds
from server.services.units import tree
from server.store.models import ClusterRow
from server.store.queries.among import among


@dataclass(frozen=True, slots=True)
class HeardSpan:
    """A stretch in which one thing is heard; seconds since the first midnight asked for."""

    start_s: float
    end_s: float
    title: str
    unit_name: str
    level: int
    bulletin_class: str


@dataclass(frozen=True, slots=True)
class HeardCluster:
    """One cluster, and what it sounds."""

    cluster_id: str
    name: str
    spans: tuple[HeardSpan, ...]


def heard_rows(
    db: Session, unit_id: str, *, start: date, until: date, actor: Actor, now: datetime
) -> list[HeardCluster]:
    """Work out what the unit's own clusters sound from ``start`` to ``until``.

    Raises:
        NotAllowedError: The actor may not see the unit.
        DeskRefusedError: More days than are shown together.
    """
    demand_narrow(start, until)
    units = tree(db, today=local_day(now))
    demand(actor, Action.VIEW, units.chain(unit_id))
    begin, end = day_bounds(start)[0], day_bounds(until)[0]
    own = units.own_clusters(unit_id)
    heard = heard_by(db, own, start=begin, end=end, now=now, units=units)
    rows = db.scalars(
        select(ClusterRow)
        .where(among(ClusterRow.cluster_id, own))
        .order_by(ClusterRow.village, ClusterRow.name)
    )
    found = []
    for row in rows:
        goes_by = heard[row.cluster_id]
        sounding = [while_it_sounds(claim) for claim in goes_by.claims]
        spans = timeline(sounding, goes_by.policy, begin, end)
        name = row.village if row.village in row.name else f"{row.village} {row.name}".strip()
        found.append(
            HeardCluster(
                row.cluster_id,
                name or row.name,
                tuple(_span(span, begin, units) for span in spans if span.claim is not None),
            )
        )
    return found


def _span(span: Span, begin: datetime, units: Tree) -> HeardSpan:
    claim = span.claim
    assert claim is not None  # noqa: S101 - silent stretches are left out by the caller
    unit = units.units.get(claim.unit)
    return HeardSpan(
        (span.start - begin).total_seconds(),
        (span.end - begin).total_seconds(),
        claim.title,
        unit.name if unit else "",
        claim.level,
        claim.bulletin_class.value,
    )
