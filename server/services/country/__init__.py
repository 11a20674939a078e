"""The country's units out of the tables beside this file; README.md says where they come from."""

import csv
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from server.domain.country import Country, FormerCommune, FormerDistrict, Place


@cache
def country() -> Country:
    """Read the tables, once in a process."""
    provinces = (Place(code, name, float(y), float(x)) for code, name, y, x in _rows("provinces"))
    communes = (
        Place(code, name, float(y), float(x), province)
        for code, name, province, y, x in _rows("communes")
    )
    return Country(
        {place.code: place for place in provinces},
        {place.code: place for place in communes},
        {row[0]: FormerDistrict(*row) for row in _rows("former_districts")},
        tuple(
            FormerCommune(code, name, district, tuple(became.split()))
            for code, name, district, became in _rows("former_communes")
        ),
    )


def _rows(table: str) -> Iterator[list[str]]:
    text = files(__package__).joinpath(f"{table}.csv").read_text("utf-8")
    rows = csv.reader(text.splitlines())
    next(rows)
    return rows
