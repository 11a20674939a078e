"""Propose the reform of July 2025 for a tree that still has the communes of before."""

from collections.abc import Iterator, Mapping
from datetime import date

from server.domain.country import Country, FormerCommune, Place
from server.domain.names import folded
from server.domain.reforms import How, Proposal, Way
from server.domain.units import NewUnit, Tree, Unit

LEGAL_REFERENCE = "Nghị quyết 202/2025/QH15; Nghị quyết của UBTVQH về sắp xếp ĐVHC cấp xã năm 2025"
_KINDS = ("xa ", "phuong ", "thi tran ", "dac khu ")


def proposed(
    country: Country,
    tree: Tree,
    codes: Mapping[str, str],
    *,
    under: str,
    valid_from: date,
    title: str,
) -> Proposal:
    """Propose where the clusters of each old commune under a unit go, as the mapping says.

    A commune that was split goes to the nearest of those it became; the main one comes first.

    Args:
        country: The units of today, and what was before.
        tree: The tree as it is.
        codes: Official codes of the units that have one.
        under: The province.
        valid_from: The day.
        title: What the reform is called.
    """
    old = dict(_old_communes(country, tree, codes, under))
    by_code = {codes[unit]: unit for unit in tree.subtree(under) if unit in codes}
    born: dict[str, NewUnit] = {}
    ways: list[Way] = []
    for unit_id, former in old.items():
        to = []
        for code in former.became:
            place = country.communes[code]
            there = by_code.get(code)
            if there is None or (there in old and not _is_same(tree.unit(there), place)):
                new = _new_unit(place, under, tree.unit(unit_id).level_rank)
                there = new.unit_id
                if there not in tree.units:
                    born[there] = new
            to.append(there)
        if to == [unit_id]:
            continue
        how = How.WHOLE if len(to) == 1 else How.NEAREST
        ways.append(Way(unit_id, ends=unit_id not in to, how=how, to=tuple(to)))
    ways.extend(_districts(country, tree, codes, under, old))
    return Proposal(title, valid_from, under, LEGAL_REFERENCE, tuple(born.values()), tuple(ways))


def _old_communes(
    country: Country, tree: Tree, codes: Mapping[str, str], under: str
) -> Iterator[tuple[str, FormerCommune]]:
    former = {one.code: one for one in country.former if one.code}
    for unit_id in tree.subtree(under):
        code = codes.get(unit_id, "")
        was = former.get(code)
        today = country.communes.get(code)
        if was is None or (today is not None and unit_id == today.unit_id):
            continue
        if _bare(was.name) == _bare(tree.unit(unit_id).name):
            yield unit_id, was


def _is_same(unit: Unit, place: Place) -> bool:
    """Say whether a unit goes on as a commune of today: same code, same name."""
    return _bare(unit.name) == _bare(place.name)


def _districts(
    country: Country,
    tree: Tree,
    codes: Mapping[str, str],
    under: str,
    old: Mapping[str, FormerCommune],
) -> Iterator[Way]:
    """Yield the districts that stood between and end: what is left under them goes to the top."""
    for unit_id in dict.fromkeys(tree.unit(one).parent_id for one in old):
        if unit_id is None or unit_id == under:
            continue
        if codes.get(unit_id, "") in country.districts and not tree.own_clusters(unit_id):
            yield Way(unit_id, to=(), children=under)


def _new_unit(place: Place, under: str, level_rank: int) -> NewUnit:
    return NewUnit(
        place.unit_id,
        place.name,
        level_rank,
        under,
        code=place.code,
        latitude=place.latitude,
        longitude=place.longitude,
    )


def _bare(name: str) -> str:
    text = folded(name)
    for kind in _KINDS:
        text = text.removeprefix(kind)
    return text
