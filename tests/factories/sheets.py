"""Sheets of clusters: as rows, as files, and the ground that they are held against."""

from io import BytesIO

import xlsxwriter
from hypothesis import strategies as st

from server.domain.cluster_import import Bounds, ClusterFacts, Ground
from server.domain.cluster_sheets import HEADINGS, Column

COMMUNES = {"00928": "vn-08-00928", "00913": "vn-08-00913", "vn-08-00928": "vn-08-00928"}
ELSEWHERE = {"00004": "vn-01-00004"}
HEAD = [names[0] for names in HEADINGS.values()]


def a_row(**cells: str) -> list[str]:
    """Make a good row of a new cluster; a keyword is the name of a column."""
    boring = {"name": "Bản Cáp", "commune": "00928", "latitude": "22.8", "longitude": "105.0"}
    said = {**boring, **cells}
    return [said.get(column.value, "") for column in Column]


def a_sheet(*rows: list[str]) -> list[list[str]]:
    """Put the headings over rows."""
    return [HEAD, *rows]


def a_ground(*there: ClusterFacts) -> Ground:
    """Make a province of two communes that one may enter clusters at, and one that one may not."""
    units = {**COMMUNES, **ELSEWHERE}
    return Ground(
        units,
        frozenset(COMMUNES.values()),
        dict.fromkeys(units.values(), Bounds.around([(22.0, 104.5), (23.0, 105.5)])),
        {one.cluster_id: one for one in there},
    )


def a_workbook(*rows: list[str | float], formula: str = "") -> bytes:
    """Make an XLSX file of cells; a formula goes below them."""
    made = BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    if formula:
        sheet.write_formula(len(rows), 0, formula, value="42")
    book.close()
    return made.getvalue()


_texts = st.text(max_size=12) | st.sampled_from(
    ["", "Bản Cáp", "ban cap", "c-1", "vi-du", "00928", "928", "00004", "22.8", "105", "-1", "=1+1"]
)
cells = st.lists(st.lists(_texts, max_size=10), max_size=12)
"""Rows of anything, now and then of what belongs there."""

good_rows = st.builds(
    a_row,
    cluster_id=st.sampled_from(["", "c-1", "c-2", "c-3"]),
    name=st.sampled_from(["Bản Cáp", "bản cáp", "Chợ", "Nhà văn hóa"]),
    village=st.sampled_from(["", "Bản Cáp", "Nà Thác"]),
    commune=st.sampled_from(["00928", "928", "00913", "00004"]),
    people=st.sampled_from(["", "0", "615"]),
)
"""Rows that each could be taken in, often not together."""
