"""Draw a reform: the tree after it, and every rule that it would break."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from server.domain.distances import Point, distance_m
from server.domain.errors import Finding
from server.domain.names import folded, in_a_line
from server.domain.reform_rules import (
    Alive,
    wrong_born,
    wrong_tree,
    wrong_ways,
    wrong_whole,
)
from server.domain.reforms import (
    Drawing,
    Ground,
    How,
    Move,
    Proposal,
    Undecided,
    Way,
)
from server.domain.units import Tree, Unit

TIE_M = 50.0
"""Two points that are equally far away but for this much: a map cannot tell them apart."""


def drawn(ground: Ground, proposal: Proposal) -> Drawing:
    """Draw a reform on the tree of its day."""
    tree = ground.tree
    findings = wrong_whole(ground, proposal)
    if findings:
        return _undrawn(tree, findings)
    alive = Alive.after(tree, proposal)
    findings += wrong_born(ground, proposal, alive)
    findings += wrong_ways(ground, proposal, alive)
    if findings:
        return _undrawn(tree, findings)
    parents = dict(_parents(tree, proposal, alive))
    places = _Places(ground, proposal)
    clusters = places.placed()
    after = replace(tree, units=_units(tree, proposal, alive, parents), clusters=clusters)
    moves = tuple(
        Move(cluster, tree.clusters[cluster], unit)
        for cluster, unit in clusters.items()
        if tree.clusters[cluster] != unit
    )
    reparented = tuple(
        Move(unit, tree.units[unit].parent_id or "", parent)
        for unit, parent in parents.items()
        if unit in after.units and tree.units[unit].parent_id != parent
    )
    if findings := list(wrong_tree(tree, after, proposal.under)):
        return _undrawn(tree, findings)
    findings += _left(places.undecided, ground)
    ended = tuple(way.unit_id for way in proposal.ways if way.ends)
    if not (findings or moves or reparented or ended or proposal.born):
        findings.append(Finding("reform-nothing"))
    return Drawing(
        tree,
        after,
        proposal.born,
        ended,
        moves,
        reparented,
        tuple(places.undecided),
        tuple(findings),
    )


def _undrawn(tree: Tree, findings: Iterable[Finding]) -> Drawing:
    return Drawing(tree, tree, (), (), (), (), (), tuple(findings))


def _parents(tree: Tree, proposal: Proposal, alive: Alive) -> Iterator[tuple[str, str]]:
    """Yield each unit that is told to stand under another."""
    for way in proposal.ways:
        if not way.ends:
            if way.parent is not None:
                yield way.unit_id, way.parent
            continue
        heir = way.children or (way.to[0] if way.how is How.WHOLE and way.to else None)
        for child in tree.children(way.unit_id):
            if heir is not None and child in alive.units:
                yield child, heir
    # What is said of a unit itself goes before what its parent leaves it to.
    for way in proposal.ways:
        if not way.ends and way.parent is not None:
            yield way.unit_id, way.parent


def _units(
    tree: Tree, proposal: Proposal, alive: Alive, parents: Mapping[str, str]
) -> dict[str, Unit]:
    kept = {
        unit_id: replace(unit, parent_id=parents.get(unit_id, unit.parent_id))
        for unit_id, unit in tree.units.items()
        if unit_id in alive.units
    }
    born = {
        new.unit_id: Unit(new.unit_id, new.name, new.level_rank, new.parent_id)
        for new in proposal.born
    }
    return {**kept, **born}


@dataclass(slots=True)
class _Places:
    """Finds the unit of each cluster from the day on."""

    ground: Ground
    proposal: Proposal
    undecided: list[Undecided] = field(default_factory=list)

    def placed(self) -> dict[str, str]:
        """Give every cluster its unit; one that nobody can place has none, and is named."""
        hands = {hand.cluster_id: hand.to for hand in self.proposal.hands}
        clusters = dict(self.ground.tree.clusters)
        points = self._points()
        for way in self.proposal.ways:
            villages = {folded(one.village): one.to for one in way.villages}
            for cluster in self.ground.tree.own_clusters(way.unit_id):
                told = hands.get(cluster) or villages.get(self._village(cluster))
                found = told or self._rest(way, cluster, points)
                if found is not None:
                    clusters[cluster] = found
                elif way.ends:
                    del clusters[cluster]
        return {**clusters, **hands}

    def _rest(
        self, way: Way, cluster: str, points: Mapping[str, tuple[float, float]]
    ) -> str | None:
        if way.how is How.WHOLE and way.to:
            return way.to[0]
        if way.how is How.NEAREST:
            near = _nearest(self._point(cluster), {unit: points[unit] for unit in way.to})
            if len(near) == 1:
                return near[0]
            why = "tie" if near else "no-coordinates"
            self.undecided.append(Undecided(cluster, way.unit_id, why))
        elif way.ends:
            self.undecided.append(Undecided(cluster, way.unit_id, "left"))
        return None

    def _points(self) -> dict[str, Point]:
        born = {
            new.unit_id: (new.latitude, new.longitude)
            for new in self.proposal.born
            if new.latitude is not None and new.longitude is not None
        }
        return {**self.ground.points, **born}

    def _village(self, cluster: str) -> str:
        facts = self.ground.facts.get(cluster)
        return "" if facts is None else folded(facts.village)

    def _point(self, cluster: str) -> Point | None:
        facts = self.ground.facts.get(cluster)
        if facts is None or facts.latitude is None or facts.longitude is None:
            return None
        return facts.latitude, facts.longitude


def _nearest(point: Point | None, units: Mapping[str, Point]) -> list[str]:
    """List the nearest unit, or all that are as near as it; none without a point."""
    if point is None:
        return []
    away = {unit: distance_m(point, there) for unit, there in units.items()}
    least_m = min(away.values())
    return [unit for unit, metres in away.items() if metres - least_m < TIE_M]


def _left(undecided: Iterable[Undecided], ground: Ground) -> Iterator[Finding]:
    """Name the clusters that a hand must place, by what is the matter with them."""
    by_reason: dict[str, list[str]] = {}
    for one in undecided:
        facts = ground.facts.get(one.cluster_id)
        by_reason.setdefault(one.why, []).append(facts.name if facts else one.cluster_id)
    for why, names in by_reason.items():
        fields = {"at": "hands", "count": str(len(names)), "clusters": in_a_line(names)}
        yield Finding(f"reform-{why}", fields)
