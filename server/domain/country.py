"""The administrative units of the country, as they are since the reform, and what was before."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from server.domain.errors import UnknownThingError
from server.domain.names import folded

REFORM = date(2025, 7, 1)
"""Since when there are provinces and communes alone; until then districts stood between."""

PROVINCE_RANK, COMMUNE_RANK = 0, 1
_KINDS = ("thanh pho ", "tinh ", "tp. ", "tp ")


@dataclass(frozen=True, slots=True)
class Place:
    """A province, or a commune of one; ``code`` is the official one and never changes."""

    code: str
    name: str
    latitude: float
    longitude: float
    province: str | None = None

    @property
    def unit_id(self) -> str:
        """Id of the unit that stands for it."""
        return f"vn-{self.code}" if self.province is None else f"vn-{self.province}-{self.code}"


@dataclass(frozen=True, slots=True)
class FormerDistrict:
    """A district that was dissolved on the day of the reform."""

    code: str
    name: str
    province: str

    def group_id(self, province: Place) -> str:
        """Id of the group that people may go on choosing, in the province of today."""
        return f"{province.unit_id}-d{self.code}"


@dataclass(frozen=True, slots=True)
class FormerCommune:
    """A commune until the reform, or an island district that had none (``code`` is empty).

    Attributes:
        district: Code of its district.
        became: Codes of the communes that it became; several when it was split, the main one first.
    """

    code: str
    name: str
    district: str
    became: tuple[str, ...]


@dataclass(frozen=True)
class Country:
    """All provinces, communes, and former units, by code."""

    provinces: Mapping[str, Place]
    communes: Mapping[str, Place]
    districts: Mapping[str, FormerDistrict]
    former: tuple[FormerCommune, ...]

    def province(self, said: str) -> Place:
        """Find a province by its code or name, marks and kind of unit left out at will.

        Raises:
            UnknownThingError: There is none.
        """
        wanted = _bare(said)
        code = wanted.zfill(2)
        for place in self.provinces.values():
            if place.code == code or _bare(place.name) == wanted:
                return place
        raise UnknownThingError("province", said)

    def communes_of(self, province: Place) -> tuple[Place, ...]:
        """Communes of a province, by code."""
        return tuple(one for one in self.communes.values() if one.province == province.code)

    def district_of(self, commune: str) -> FormerDistrict | None:
        """Tell from which former district a commune comes, or most of it."""
        code = self._districts_of_communes.get(commune)
        return None if code is None else self.districts[code]

    def districts_of(self, province: Place) -> tuple[FormerDistrict, ...]:
        """Former districts from which the communes of a province come, by code."""
        codes = {
            self._districts_of_communes[one.code]
            for one in self.communes_of(province)
            if one.code in self._districts_of_communes
        }
        return tuple(self.districts[code] for code in sorted(codes))

    @cached_property
    def _districts_of_communes(self) -> dict[str, str]:
        return _most_from(self.former)


def _most_from(former: Iterable[FormerCommune]) -> dict[str, str]:
    """Name for each commune the district that gave most: whole communes before pieces."""
    given: dict[str, Counter[str]] = {}
    for one in former:
        for place, code in enumerate(one.became):
            # A piece that is not the main one settles only what nothing else does.
            given.setdefault(code, Counter())[one.district] += 1 if place else 1000
    return {
        code: min(districts, key=lambda district: (-districts[district], district))
        for code, districts in given.items()
    }


def _bare(name: str) -> str:
    text = folded(name)
    for kind in _KINDS:
        text = text.removeprefix(kind)
    return text
