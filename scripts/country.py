"""Make the tables of provinces and communes anew: scripts/country.py PACKAGE OUT.

PACKAGE is the folder ``vietnamadminunits/data`` of the package that requirements/country.txt pins,
OUT is server/services/country. Nothing else of the package is used, and nothing of it runs.
"""

import csv
import json
import sqlite3
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

Row = Sequence[object]

_PLACES = 4
_NEW = """
    SELECT provinceCode, province, provinceLat, provinceLon, wardCode, ward, wardLat, wardLon,
           provinceKey, wardKey FROM admin_units ORDER BY provinceCode, wardCode
"""
_FORMER = """
    SELECT districtCode, district, province, wardCode, ward,
           provinceKey || '_' || districtKey || '_' || coalesce(wardKey, '')
    FROM admin_units_legacy ORDER BY provinceCode, districtCode, wardCode
"""


def main(package: Path, out: Path) -> None:
    """Read the package's files, write ours."""
    with closing(sqlite3.connect(f"file:{package / 'dataset.db'}?mode=ro", uri=True)) as db:
        new, former = db.execute(_NEW).fetchall(), db.execute(_FORMER).fetchall()
    mapping = json.loads((package / "converter_2025.json").read_text("utf-8"))
    codes = {(row[8], row[9]): str(row[4]) for row in new}
    became = dict(_became(mapping, codes))
    provinces = {row[0]: (row[0], _name(row[1]), *_point(row[2], row[3])) for row in new}
    communes = [(row[4], _name(row[5]), row[0], *_point(row[6], row[7])) for row in new]
    districts = {row[0]: (row[0], _name(row[1]), _name(row[2])) for row in former}
    # A few islands were districts without communes: their row has no code and no name.
    pieces = [
        (row[3] or "", _name(row[4] or ""), row[0], " ".join(became[row[5]])) for row in former
    ]
    _write(out / "provinces.csv", "code,name,latitude,longitude", provinces.values())
    _write(out / "communes.csv", "code,name,province,latitude,longitude", communes)
    _write(out / "former_districts.csv", "code,name,province", districts.values())
    _write(out / "former_communes.csv", "code,name,district,became", pieces)


def _became(
    mapping: dict[str, dict[str, dict[str, list[object]]]], codes: dict[tuple[str, str], str]
) -> Iterator[tuple[str, list[str]]]:
    """Tell what each former commune became: whole, or in pieces with the main one first."""
    for province, communes in mapping["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for commune, former in communes.items():
            for one in former:
                yield str(one), [codes[province, commune]]
    for province, split in mapping["DICT_PROVINCE_WARD_DIVIDED"].items():
        for one, pieces in split.items():
            found = [piece for piece in pieces if isinstance(piece, dict)]
            found.sort(key=lambda piece: not piece["isDefaultNewWard"])
            yield one, [codes[province, piece["newWardKey"]] for piece in found]


def _name(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _point(latitude: float, longitude: float) -> tuple[float, float]:
    return round(latitude, _PLACES), round(longitude, _PLACES)


def _write(path: Path, heading: str, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(heading.split(","))
        writer.writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
