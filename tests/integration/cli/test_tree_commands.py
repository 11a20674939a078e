"""The tree from the command line: what is said, and with which status."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from server.cli import loa
from server.cli.errors import SheetFaultsError
from tests.factories.sheets import a_row, a_sheet, a_workbook


@pytest.fixture
def run(tmp_path: Path):
    """Type a command on a fresh installation."""
    state = tmp_path / "state"
    runner = CliRunner()

    def typed(*words: str) -> Result:
        return runner.invoke(loa, [*words, "--state", str(state)])

    assert typed("db", "upgrade").exit_code == 0
    return typed


def test_a_province_and_then_its_clusters_are_entered(run, tmp_path: Path):
    province = ("unit", "import", "--province", "lai chau", "--with-former-districts")
    assert "39 units would be added" in run(*province, "--dry-run").output
    assert "39 units added, 0 there already, 8 groups added" in run(*province).output
    assert "0 units added, 39 there already, 0 groups added" in run(*province).output

    template = tmp_path / "cum-loa.xlsx"
    assert "38 communes" in run("cluster", "template", str(template)).output
    assert "0 clusters added" in run("cluster", "import", str(template)).output

    sheet = tmp_path / "filled.xlsx"
    row = a_row(commune="3388", latitude="22.3", longitude="103.2")
    sheet.write_bytes(a_workbook(*a_sheet(row)))
    assert "1 clusters would be added" in run("cluster", "import", str(sheet), "--dry-run").output
    assert "1 clusters added" in run("cluster", "import", str(sheet)).output
    assert "0 clusters added, 0 changed, 1 stay" in run("cluster", "import", str(sheet)).output


@pytest.mark.parametrize("extra", [(), ("--dry-run",)])
def test_every_wrong_row_is_told_in_a_sentence(run, tmp_path: Path, extra: tuple[str, ...]):
    sheet = tmp_path / "wrong.xlsx"
    sheet.write_bytes(a_workbook(*a_sheet(a_row(), a_row(name="", people="x"))))
    told = run("cluster", "import", str(sheet), *extra)
    assert isinstance(told.exception, SheetFaultsError)
    assert told.exception.lines == (
        "Row 3: “Tên cụm” is empty.",
        "Row 3: “Số dân” is no number that fits: “x”.",
        "Row 2: there is no commune of the code “00928” here today.",
    )
