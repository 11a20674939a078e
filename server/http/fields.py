"""At which field of what was sent a finding is told: one table, for pages and API alike."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType

from server.domain.errors import Finding

MOST_TOLD = 20
_LONGEST_NAME = 64

_AT: Mapping[str, str] = MappingProxyType(
    {
        "title": "bad-title",
        "bulletin_class": "not-allowed-class",
        "content_kind": "bad-content-kind",
        "assets": "unknown-asset too-many-items no-audio",
        "relay_url": "bad-relay relay-unused",
        "length_s": "no-length bad-length session-too-long",
        "recurrence": "bad-recurrence never",
        "weekdays": "bad-weekdays",
        "pattern": "bad-month-day bad-lunar-day pattern-unused rrule-missing rrule-too-often "
        "rrule-clock rrule-part rrule-number rrule-two-ends rrule-other-time rrule-unreadable "
        "rrule-long",
        "holidays": "bad-holidays",
        "excluded_days": "too-many-excluded",
        "local_start": "bad-time overlap more-overlaps many-overlaps time-taken outside-frame "
        "quiet-hours "
        "bad-frame-time frame-outside frame-overlap",
        "first_day": "bad-day past",
        "last_day": "days-reversed airing-endless",
        "reason": "reason-needed",
        "units": "no-target no-commune out-of-scope",
        "text": "bad-text",
        "deadline": "bad-deadline deadline-needed deadline-past",
        "decision_number": "decision-number-needed bad-decision-number",
        "severity": "bad-severity",
        "languages": "bad-language",
        "start_mode": "bad-start-mode",
        "wait_s": "bad-wait",
        "when_cut": "bad-when-cut",
        "gain_db": "bad-gain",
        "unit_id": "unknown-unit other-unit frame-other-unit",
        "kind": "bad-frame-kind quiet-is-nobodys",
        "owner_id": "frame-owner",
        "session_limit_s": "bad-session-limit frame-longer",
        "volume_ceiling_db": "bad-ceiling frame-louder",
        "legal_reference": "bad-legal-reference",
    }
)
"""Findings by the field of a slot, hours or a bulletin where they are told, if they name none."""

_FIELDS = {code: name for name, codes in _AT.items() for code in codes.split()}

_UNREADABLE: Mapping[str, str] = MappingProxyType(
    {
        "local_start": "bad-time",
        "local_end": "bad-time",
        "first_day": "bad-day",
        "last_day": "bad-day",
        "excluded_days": "bad-day",
        "valid_from": "bad-day",
        "title": "bad-title",
        "weekdays": "bad-weekdays",
        "recurrence": "bad-recurrence",
        "holidays": "bad-holidays",
        "length_s": "bad-length",
        "content_kind": "bad-content-kind",
        "start_mode": "bad-start-mode",
        "wait_s": "bad-wait",
        "when_cut": "bad-when-cut",
        "gain_db": "bad-gain",
        "session_limit_s": "bad-session-limit",
        "volume_ceiling_db": "bad-ceiling",
    }
)
"""What to say of a field that no value could be read from; of others only that it is so."""


def field_of(finding: Finding) -> str:
    """Name the field at which a finding is told; empty: it is about the whole."""
    named = finding.fields.get("field") or finding.fields.get("at")
    return named or _FIELDS.get(finding.code, "")


def at_field(findings: Iterable[Finding], *names: str) -> list[Finding]:
    """Keep what is to be told at one of some fields."""
    return [finding for finding in findings if field_of(finding) in names]


def unreadable(invalid: Mapping[str, Mapping[str, object]]) -> list[Finding]:
    """Say of each field from which the validator could read nothing what belongs there."""
    return [
        Finding(_UNREADABLE.get(name, "bad-field"), {"field": name})
        for name in islice(_names(invalid), MOST_TOLD)
    ]


def _names(invalid: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    for fields in invalid.values():
        for name in fields:
            yield str(name)[:_LONGEST_NAME]
