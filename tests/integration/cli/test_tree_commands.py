"""The tree from the command line: what is said, and with which status."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from server.cli import loa
from server.cli.errors import ReformFaultsError, SheetFaultsError
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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("extra", [(), ("--dry-run",)])
def test_every_wrong_row_is_told_in_a_sentence(run, tmp_path: Path, extra: tuple[str, ...]):
    sheet = tmp_path / "wrong.xlsx"
    sheet.write_bytes(a_workbook(*a_sheet(a_row(), a_row(name="", people="x"))))
    told = run("cluster", "import", str(sheet), *extra)
    assert isinstance(told.exception, SheetFaultsError)
    assert told.exception.lines == (
        "Row 2: there is no commune of the code “00928” here today.",
        "Row 3: “Tên cụm” is empty.",
        "Row 3: “Số dân” is no number that fits: “x”.",
    )


def test_a_reform_is_proposed_looked_at_and_carried_out_from_the_command_line(run, tmp_path: Path):
    for unit_id, *words in (("tinh",), ("xa-1", "--under", "tinh"), ("xa-2", "--under", "tinh")):
        assert run("unit", "add", unit_id, "--name", unit_id, *words).exit_code == 0
    assert run("cluster", "add", "c-1", "--name", "Chợ", "--unit", "xa-1").exit_code == 0
    file = tmp_path / "ke-hoach.json"
    assert "0 units change or end" in run("unit", "propose", "tinh", str(file)).output
    plan = json.loads(file.read_text())
    plan["ways"] = [{"unit_id": "xa-1", "to": ["xa-2"]}]
    file.write_text(json.dumps(plan))
    assert "1 clusters would be moved" in run("unit", "reform", str(file), "--dry-run").output
    assert "1 clusters are moved" in run("unit", "reform", str(file)).output
    again = run("unit", "reform", str(file))
    assert isinstance(again.exception, ReformFaultsError)
    assert "by another reform" in again.exception.lines[0] or "no unit" in again.exception.lines[0]


def test_a_file_that_describes_no_reform_is_refused_in_sentences(run, tmp_path: Path):
    cases = {"a.json": "{", "b.toml": "title = ", "c.json": '{"title": "x", "color": 1}'}
    for name, content in cases.items():
        file = tmp_path / name
        file.write_text(content)
        told = run("unit", "reform", str(file))
        assert isinstance(told.exception, ReformFaultsError), told.output
    assert "color: Extra inputs are not permitted" in told.exception.lines
