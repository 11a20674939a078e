"""The rules that a reform may break; each finding says where with ``at``."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from protocol.errors import BadIdError
from protocol.ids import checked_id
from server.domain.errors import Finding
from server.domain.names import folded, in_a_line
from server.domain.reforms import END, FOLLOW, Ground, How, Proposal, Way
from server.domain.units import Tree

_POLE, _DATE_LINE = 90, 180


@dataclass(frozen=True, slots=True)
class Alive:
    """The units that there are from the day on, and the ranks of all that are named.

    Attributes:
        inside: Those that stand under the unit above the reform, itself too.
    """

    units: frozenset[str]
    inside: frozenset[str]

    @classmethod
    def after(cls, tree: Tree, proposal: Proposal) -> "Alive":
        """Find them, whether or not the rest of the proposal can be used."""
        born = frozenset(new.unit_id for new in proposal.born)
        ended = frozenset(way.unit_id for way in proposal.ways if way.ends)
        under = frozenset(tree.subtree(proposal.under))
        return cls((frozenset(tree.units) - ended) | born, (under - ended) | born)


def wrong_whole(ground: Ground, proposal: Proposal) -> list[Finding]:
    """Say what keeps a reform from being drawn at all."""
    findings = []
    if proposal.valid_from < ground.today:
        day = f"{proposal.valid_from:%d/%m/%Y}"
        findings.append(Finding("reform-past", {"at": "valid_from", "day": day}))
    if proposal.under not in ground.tree.units:
        findings.append(_unknown("under", proposal.under))
    return findings


def wrong_born(ground: Ground, proposal: Proposal, alive: Alive) -> Iterator[Finding]:
    """Say what is wrong with the new units."""
    ranks = {unit_id: unit.level_rank for unit_id, unit in ground.tree.units.items()}
    ranks |= {new.unit_id: new.level_rank for new in proposal.born}
    twice = _twice(new.unit_id for new in proposal.born)
    for number, new in enumerate(proposal.born):
        at = f"born-{number}"
        if not _is_id(new.unit_id):
            yield Finding("bad-id", {"at": at, "id": new.unit_id[:64]})
        elif new.unit_id in ground.known or new.unit_id in twice:
            yield Finding("reform-id-taken", {"at": at, "id": new.unit_id})
        if not new.name.strip():
            yield Finding("bad-name", {"at": at})
        if new.level_rank not in ground.levels:
            fields = {"at": at, "unit": new.name, "level": str(new.level_rank)}
            yield Finding("reform-unknown-level", fields)
        if new.parent_id is None or new.parent_id not in alive.inside:
            fields = {"at": at, "unit": new.name, "parent": new.parent_id or "–"}
            yield Finding("reform-bad-parent", fields)
        elif ranks[new.parent_id] >= new.level_rank:
            yield Finding("reform-level", {"at": at, "unit": new.name})
        if not _is_point(new.latitude, new.longitude):
            yield Finding("reform-bad-point", {"at": at, "unit": new.name})


def wrong_ways(ground: Ground, proposal: Proposal, alive: Alive) -> Iterator[Finding]:
    """Say what is wrong with where clusters and units are to go."""
    below = frozenset(ground.tree.subtree(proposal.under)) - {proposal.under}
    twice = _twice(way.unit_id for way in proposal.ways)
    for unit_id in sorted(twice):
        yield Finding("reform-unit-twice", {"at": f"way-{unit_id}", "unit": unit_id})
    for way in proposal.ways:
        if way.unit_id not in below:
            yield _unknown(f"way-{way.unit_id}", way.unit_id)
        elif way.unit_id not in twice:
            yield from _wrong_way(ground, way, alive, proposal)
    yield from _wrong_hands(ground, proposal, alive)


def wrong_tree(before: Tree, after: Tree, under: str) -> Iterator[Finding]:
    """Say where what is drawn is no tree under the same top, or its levels are out of order."""
    orphans: dict[str, list[str]] = {}
    for unit in after.units.values():
        if unit.parent_id is not None and unit.parent_id not in after.units:
            orphans.setdefault(unit.parent_id, []).append(unit.name)
    for parent, names in orphans.items():
        name = before.units[parent].name if parent in before.units else parent
        fields = {"at": f"way-{parent}", "unit": name, "units": in_a_line(names)}
        yield Finding("reform-child-left", fields)
    if orphans:
        return
    for unit in after.units.values():
        parent_id = unit.parent_id
        if parent_id is None or unit == before.units.get(unit.unit_id):
            continue
        if _is_in_a_circle(after, unit.unit_id):
            yield Finding("reform-circle", {"at": f"way-{unit.unit_id}", "unit": unit.name})
        elif after.units[parent_id].level_rank >= unit.level_rank:
            yield Finding("reform-level", {"at": f"way-{unit.unit_id}", "unit": unit.name})
    if under not in after.units:
        yield _unknown("under", under)


def _wrong_way(ground: Ground, way: Way, alive: Alive, proposal: Proposal) -> Iterator[Finding]:
    at, name = f"way-{way.unit_id}", ground.tree.units[way.unit_id].name
    if way.ends and way.unit_id in ground.young:
        yield Finding("reform-young", {"at": at, "unit": name})
    concerned = [way.unit_id, *ground.tree.own_clusters(way.unit_id)]
    later = [ground.later[one] for one in concerned if one in ground.later]
    if later:
        yield Finding("reform-later", {"at": at, "unit": name, "day": f"{min(later):%d/%m/%Y}"})
    others = (way.children, way.parent)
    targets = [*way.to, *(village.to for village in way.villages)]
    targets += [one for one in others if one is not None]
    targets += [one for one in (way.slots, way.people) if one not in {FOLLOW, END}]
    for target in dict.fromkeys(targets):
        if target not in alive.inside or (target == way.unit_id and way.ends):
            yield Finding("reform-bad-target", {"at": at, "unit": name, "target": target})
    yield from _wrong_rest(ground, way, at, name, proposal)
    known = {folded(ground.facts[one].village) for one in concerned[1:] if one in ground.facts}
    for village in way.villages:
        if folded(village.village) not in known:
            yield Finding("reform-village", {"at": at, "unit": name, "village": village.village})
    for village_name in sorted(_twice(folded(village.village) for village in way.villages)):
        yield Finding("reform-village-twice", {"at": at, "unit": name, "village": village_name})


def _wrong_rest(
    ground: Ground, way: Way, at: str, name: str, proposal: Proposal
) -> Iterator[Finding]:
    if way.how is How.WHOLE and len(way.to) > 1:
        yield Finding("reform-one-target", {"at": at, "unit": name})
    if way.how is How.WHOLE and not way.to and ground.tree.own_clusters(way.unit_id):
        yield Finding("reform-no-target", {"at": at, "unit": name})
    if way.how is How.NEAREST:
        if not way.to:
            yield Finding("reform-no-target", {"at": at, "unit": name})
        placed = {new.unit_id for new in proposal.born if new.latitude is not None}
        placed |= set(ground.points)
        for target in way.to:
            if target not in placed:
                yield Finding("reform-no-point", {"at": at, "unit": name, "target": target})


def _wrong_hands(ground: Ground, proposal: Proposal, alive: Alive) -> Iterator[Finding]:
    movable = ground.tree.clusters_under(proposal.under)
    for cluster in sorted(_twice(hand.cluster_id for hand in proposal.hands)):
        yield Finding("reform-cluster-twice", {"at": "hands", "cluster": cluster})
    villages = {
        (way.unit_id, folded(village.village)): village.to
        for way in proposal.ways
        for village in way.villages
    }
    for hand in proposal.hands:
        cluster = hand.cluster_id
        if cluster not in movable:
            yield Finding("reform-unknown-cluster", {"at": "hands", "cluster": cluster})
            continue
        if hand.to not in alive.inside:
            fields = {"at": "hands", "unit": _called(ground, cluster), "target": hand.to}
            yield Finding("reform-bad-target", fields)
        if cluster in ground.later:
            day = f"{ground.later[cluster]:%d/%m/%Y}"
            fields = {"at": "hands", "unit": _called(ground, cluster), "day": day}
            yield Finding("reform-later", fields)
        facts = ground.facts.get(cluster)
        if facts is None:
            continue
        told = villages.get((ground.tree.clusters[cluster], folded(facts.village)))
        if told not in {None, hand.to}:
            yield Finding("reform-cluster-twice", {"at": "hands", "cluster": cluster})


def _is_in_a_circle(tree: Tree, unit_id: str) -> bool:
    at, seen = tree.units[unit_id].parent_id, {unit_id}
    while at is not None:
        if at in seen:
            return True
        seen.add(at)
        at = tree.units[at].parent_id
    return False


def _called(ground: Ground, cluster: str) -> str:
    return ground.facts[cluster].name if cluster in ground.facts else cluster


def _twice(ids: Iterable[str]) -> Collection[str]:
    return {one for one, times in Counter(ids).items() if times > 1}


def _is_id(text: str) -> bool:
    try:
        checked_id(text)
    except BadIdError:
        return False
    return True


def _is_point(latitude: float | None, longitude: float | None) -> bool:
    if latitude is None or longitude is None:
        return latitude is longitude
    return abs(latitude) <= _POLE and abs(longitude) <= _DATE_LINE


def _unknown(at: str, unit_id: str) -> Finding:
    return Finding("reform-unknown-unit", {"at": at, "unit": unit_id})
