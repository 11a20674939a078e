"""What must hold for every file that is kept, and for the commands that set them up."""

import ast
import re
import subprocess
import wave
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("protocol", "audio_library", "edge", "server", "firmware_config")
BIGGEST_BYTES = 600_000
LONGEST_AUDIO_S = 2.0
AUDIO = {".wav", ".mp3", ".ogg", ".opus", ".flac", ".m4a", ".webm"}
# Written in pieces, so that this file does not speak of what it forbids.
REGISTRIES = tuple(
    "".join(parts)
    for parts in (
        ("pypi", ".org"),
        ("pythonhosted", ".org"),
        ("registry.npm", "js.org"),
        ("registry.yarn", "pkg.com"),
        ("debian", ".org"),
    )
)
HOME = re.compile("(?<![\\w.$-])/(?:ro" + "ot|ho" + "me/\\w+|wo" + "rk)/")


def kept_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    found = (ROOT / name.decode() for name in listed.stdout.split(b"\0") if name)
    return [path for path in found if path.is_file()]


FILES = kept_files()
PYTHON = [
    path for path in FILES if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in PACKAGES
]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def text(path: Path) -> str:
    raw = path.read_bytes()
    return "" if b"\0" in raw else raw.decode("utf-8")


def test_no_file_names_a_folder_of_the_machine_it_was_written_on():
    assert [name(path) for path in FILES if HOME.search(text(path))] == []


def test_no_file_names_a_package_registry():
    guilty = [
        (name(path), host) for path in FILES for host in REGISTRIES if host in text(path).lower()
    ]
    assert guilty == []


def test_no_file_is_big():
    assert [name(path) for path in FILES if path.stat().st_size > BIGGEST_BYTES] == []


def test_no_recording_is_kept_but_the_shortest():
    for path in FILES:
        if path.suffix in AUDIO:
            assert path.suffix == ".wav", "only WAV tells its length without a decoder"
            with wave.open(str(path)) as file:
                assert file.getnframes() / file.getframerate() <= LONGEST_AUDIO_S, name(path)


def test_a_flush_of_the_database_says_why_on_its_line():
    guilty = [
        (name(path), line.strip())
        for path in PYTHON
        for line in text(path).splitlines()
        if "db.flush()" in line and "  # " not in line
    ]
    assert guilty == []


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text("utf-8"))))


def test_topics_are_written_in_one_module_only():
    root = "loa" + "/1"
    guilty = [
        name(path)
        for path in PYTHON
        if name(path) != "protocol/topics.py"
        for node in nodes(path)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith((root, "loa" + "/#", "loa" + "/+"))
    ]
    assert guilty == []


def test_rows_of_the_database_are_defined_in_the_store_only():
    guilty = [
        name(path)
        for path in PYTHON
        if not name(path).startswith("server/store/")
        for node in nodes(path)
        if isinstance(node, ast.ClassDef) and re.search("[a-z]Row$", node.name)
    ]
    assert guilty == []


def test_the_clean_run_does_what_the_readme_says():
    readme = (ROOT / "README.md").read_text("utf-8")
    run = (ROOT / ".ci" / "run").read_text("utf-8")
    for command in ("make check", "make test"):
        assert f"\n{command}" in run
        assert command in readme


def test_every_target_that_the_readme_names_exists():
    readme = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"(?:^|`)make ([a-z][a-z0-9-]*)", readme, re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", makefile, re.MULTILINE))
    assert named <= targets


def test_set_up_is_pinned_by_digest():
    for path in (ROOT / "requirements").glob("*.txt"):
        pins = re.findall(r"^[a-z0-9][^\s=]*==", path.read_text(), re.MULTILINE)
        entries = re.split(r"^(?=[a-z0-9])", path.read_text(), flags=re.MULTILINE)[1:]
        assert pins
        assert len(pins) == len(entries)
        assert all("--hash=sha256:" in entry for entry in entries), name(path)
