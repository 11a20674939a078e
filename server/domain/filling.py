"""Prepared warnings and how their slots are filled."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from server.domain.errors import Finding, WarningRefusedError

LONGEST_VALUE = 150


@dataclass(frozen=True, slots=True)
class Named:
    """A name in the languages of the pages."""

    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Slot:
    """Something that only the day itself tells.

    Attributes:
        vi: Its name, which is spoken before its value.
        en: Its name on English pages.
        example: How it may be filled.
    """

    name: str
    vi: str
    en: str
    example: str


@dataclass(frozen=True, slots=True)
class Template:
    """A warning that is ready but for its slots.

    Attributes:
        before: Spoken first; the same every time.
        after: Spoken behind what was filled in; the same every time.
        severity: Of an emergency.
        mode: ``drill`` for what is never meant.
    """

    code: str
    title: Named
    bulletin_class: str
    before: str
    after: str
    slots: tuple[Slot, ...]
    severity: int = 0
    mode: str = "real"


def filled(template: Template, values: Mapping[str, str]) -> str:
    """Say what was filled in, one sentence for each slot; empty where nothing was.

    Raises:
        WarningRefusedError: A slot that there is not, or a value that is no short line.
    """
    known = {slot.name for slot in template.slots}
    findings = [Finding("unknown-slot", {"slot": name[:40]}) for name in values.keys() - known]
    sentences = []
    for slot in template.slots:
        value = values.get(slot.name, "").strip().rstrip(".").strip()
        if len(value) > LONGEST_VALUE or not _is_line(value):
            facts = {"slot": slot.vi, "longest": str(LONGEST_VALUE)}
            findings.append(Finding("bad-slot-value", facts))
        elif value:
            sentences.append(f"{slot.vi}: {value}.")
    if findings:
        raise WarningRefusedError(findings)
    return " ".join(sentences)


def _is_line(value: str) -> bool:
    return all(unicodedata.category(sign) not in {"Cc", "Cs", "Zl", "Zp"} for sign in value)
