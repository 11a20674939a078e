"""From an error to its status and sentence: one table, for pages and API alike (RFC 9457)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from http import HTTPStatus
from itertools import islice
from types import MappingProxyType

from flask import Response, json, request
from flask_babel import force_locale

from audio_library.errors import MissingAssetError, RefusedAudioError, SpeechError
from server.domain.clashes import MOST_NAMED, Clash, SlotClashError, WideningRefusedError
from server.domain.cluster_sheets import SheetRefusedError
from server.domain.errors import (
    BroadcastRefusedError,
    BulletinRefusedError,
    ContactRefusedError,
    DeskRefusedError,
    EscalationRefusedError,
    ExportRefusedError,
    FactorRefusedError,
    Finding,
    FrameRefusedError,
    GroupRefusedError,
    HushRefusedError,
    KeyMissingError,
    NotAllowedError,
    PreviewRefusedError,
    ReformRefusedError,
    RefusedRequestError,
    RuleRefusedError,
    SecondFactorNeededError,
    SecondPersonNeededError,
    SlotRefusedError,
    SpeechRefusedError,
    StaleError,
    TakenError,
    TooOftenError,
    UnknownThingError,
    UpkeepRefusedError,
    WaitingRefusedError,
    WarningRefusedError,
)
from server.domain.offers import Offer
from server.http.fields import field_of
from server.http.languages import LANGUAGES, gettext
from server.http.person import by_script
from server.http.wording import N_, finding_sentence, offer_sentence, upload_sentence

API_PREFIX = "/api/"
MOST_DAYS_TOLD = 10
MOST_CLUSTERS_TOLD = 50
_LONGEST_REF = 64
CHANGED_MEANWHILE = "changed-meanwhile"
REFUSED_AUDIO = "refused-audio"
SPEECH_FAILED = "speech-failed"
_STATUS_SENTENCES: Mapping[int, str] = {
    400: N_("The request could not be understood."),
    401: N_("You must log in first."),
    403: N_("Your account may not do this here."),
    404: N_("There is nothing at this address."),
    405: N_("This cannot be done at this address."),
    409: N_("It clashes with what is there already."),
    413: N_("The file is too large."),
    415: N_("This kind of content is not accepted here."),
    416: N_("The file has no such part."),
    422: N_("Something in it cannot be used."),
    429: N_("Too many tries. Wait a little and try again."),
    500: N_("Something went wrong on the server. It has been noted."),
    503: N_("The server is busy. Try again in a moment."),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What a person or a program is told when something did not happen.

    Attributes:
        code: Stable word that programs may rely on.
        findings: Everything that is wrong, when the rules found more than one thing.
        fields: Facts about the whole.
        invalid: Messages of the validator, by place and field.
        clashes: Slots in the way of one that was to be saved.
        offers: Changes with which it would be saved.
    """

    status: int
    code: str
    findings: tuple[Finding, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    invalid: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    clashes: tuple[Clash, ...] = ()
    offers: tuple[Offer, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What kind of thing went wrong, in the reader's language."""
        return gettext(_STATUS_SENTENCES.get(self.status, HTTPStatus(self.status).phrase))

    @property
    def sentences(self) -> list[str]:
        """What exactly went wrong, in the reader's language."""
        if self.code == REFUSED_AUDIO:
            return [upload_sentence(self.fields["reason_code"])]
        if self.code == SPEECH_FAILED:
            return [gettext("The text could not be spoken on this server. Record it instead.")]
        if self.code == CHANGED_MEANWHILE:
            return [gettext("Somebody else has changed it meanwhile. Look at it again.")]
        return [finding_sentence(finding) for finding in self.findings]


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a kind of error means to whoever asked, and which of its facts they are told."""

    status: int
    code: str
    facts: tuple[str, ...] = ()


_TOLD_AT_FIELDS = frozenset(
    {"slot-refused", "slot-clashes", "frame-refused", "escalation-refused", "contact-refused"}
)
_NAMED_IN_REQUESTS = frozenset({"unit", "group", "cluster"})

MEANINGS: Mapping[type[Exception], _Meaning] = MappingProxyType(
    {
        NotAllowedError: _Meaning(403, "not-allowed", ("action", "unit_id")),
        UnknownThingError: _Meaning(404, "unknown", ("kind", "ref")),
        TakenError: _Meaning(409, "taken", ("kind", "ref")),
        StaleError: _Meaning(409, CHANGED_MEANWHILE, ("kind", "ref")),
        KeyMissingError: _Meaning(503, "key-missing", ("owner",)),
        SlotRefusedError: _Meaning(422, "slot-refused"),
        SlotClashError: _Meaning(409, "slot-clashes"),
        WideningRefusedError: _Meaning(409, "widening-clashes"),
        DeskRefusedError: _Meaning(422, "desk-refused"),
        FrameRefusedError: _Meaning(422, "frame-refused"),
        ContactRefusedError: _Meaning(422, "contact-refused"),
        EscalationRefusedError: _Meaning(422, "escalation-refused"),
        ExportRefusedError: _Meaning(422, "export-refused"),
        GroupRefusedError: _Meaning(422, "group-refused"),
        ReformRefusedError: _Meaning(422, "reform-refused"),
        BroadcastRefusedError: _Meaning(422, "broadcast-refused"),
        SecondFactorNeededError: _Meaning(403, "second-factor-needed"),
        SecondPersonNeededError: _Meaning(403, "second-person-needed"),
        FactorRefusedError: _Meaning(422, "factor-refused"),
        TooOftenError: _Meaning(429, "too-often"),
        WaitingRefusedError: _Meaning(422, "waiting-refused"),
        RuleRefusedError: _Meaning(422, "rule-refused"),
        HushRefusedError: _Meaning(422, "hush-refused"),
        UpkeepRefusedError: _Meaning(422, "upkeep-refused"),
        PreviewRefusedError: _Meaning(422, "preview-refused"),
        BulletinRefusedError: _Meaning(422, "bulletin-refused"),
        SheetRefusedError: _Meaning(422, "sheet-refused"),
        WarningRefusedError: _Meaning(422, "warning-refused"),
        SpeechRefusedError: _Meaning(422, "speech-refused"),
        SpeechError: _Meaning(503, SPEECH_FAILED),
        RefusedAudioError: _Meaning(422, REFUSED_AUDIO, ("reason_code",)),
        MissingAssetError: _Meaning(404, "unknown-asset", ("digest",)),
    }
)
"""The table. An error that is not in it is the server's own fault: 500, and a trace in the log."""

_AS_IT_STANDS: Mapping[str, str] = MappingProxyType(
    {
        "slots-left-outside": "slots-left-outside",
        "group-changed": "group-in-use-or-changed",
        "group-in-use": "group-in-use-or-changed",
        "reform-stale": "reform-stale",
        "reform-began": "reform-stays",
        "reform-built-upon": "reform-stays",
    }
)
"""Nothing is wrong with what was asked for: the state of things does not let it be (409)."""


def problem_of(error: Exception) -> Problem:
    """Find what an error of the table means to whoever asked."""
    meaning = MEANINGS[type(error)]
    findings: tuple[Finding, ...] = ()
    if isinstance(error, UnknownThingError) and error.kind in _NAMED_IN_REQUESTS:
        # Most were named in the request: an address says so by itself.
        named = {"field": f"{error.kind}_id", "ref": error.ref[:_LONGEST_REF]}
        findings = (Finding(f"unknown-{error.kind}", named),)
    if isinstance(error, RefusedRequestError):
        findings = error.findings
        stands = (_AS_IT_STANDS[one.code] for one in findings if one.code in _AS_IT_STANDS)
        meaning = _Meaning(409, code) if (code := next(stands, "")) else meaning
    facts = {name: str(getattr(error, name)) for name in meaning.facts}
    problem = Problem(meaning.status, meaning.code, findings, facts)
    if isinstance(error, TooOftenError):
        return replace(problem, headers={"Retry-After": str(error.wait_s)})
    if isinstance(error, SlotClashError):
        return replace(problem, clashes=error.clashes, offers=error.offers)
    return problem


def for_program() -> bool:
    """Say whether a program asks, or a script of a page; browsers' Accept headers tell nothing."""
    return request.path.startswith(API_PREFIX) or by_script()


def as_json(problem: Problem) -> Response:
    """Answer a program."""
    body: dict[str, object] = {
        "type": f"urn:loalang:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "instance": request.path,
        **problem.fields,
    }
    if problem.sentences:
        body["detail"] = " ".join(problem.sentences)
        body["detail_by_language"] = _in_all_languages(problem)
    if problem.findings:
        body["findings"] = [
            {"code": found.code, "detail": sentence, **_field(problem, found), **found.fields}
            for found, sentence in zip(problem.findings, problem.sentences, strict=True)
        ]
    if problem.clashes:
        body["clash_count"] = len(problem.clashes)
        body["clashes"] = [_clash(one) for one in problem.clashes[:MOST_NAMED]]
        body["offers"] = [_offer(one) for one in problem.offers]
    if problem.invalid:
        body["errors"] = problem.invalid
    return Response(
        json.dumps(body, ensure_ascii=False),
        problem.status,
        {**problem.headers, "Content-Type": "application/problem+json"},
    )


def _field(problem: Problem, finding: Finding) -> dict[str, str]:
    name = field_of(finding) if problem.code in _TOLD_AT_FIELDS else ""
    return {"field": name} if name else {}


def _clash(clash: Clash) -> dict[str, object]:
    """Tell a program what stands in the way, where, and the first days of it."""
    start, end = clash.first
    return {
        "slot_id": clash.other.slot_id,
        "title": clash.other.title,
        "unit_id": clash.other.unit_id,
        "level_rank": clash.other.level,
        "start": start.isoformat().replace("+00:00", "Z"),
        "end": end.isoformat().replace("+00:00", "Z"),
        "days": [day.isoformat() for day in islice(clash.days, MOST_DAYS_TOLD)],
        "day_count": len(clash.days),
        "clusters": sorted(clash.clusters)[:MOST_CLUSTERS_TOLD],
        "cluster_count": len(clash.clusters),
    }


def _offer(offer: Offer) -> dict[str, object]:
    """Tell a program which fields to ask for otherwise, in the form in which it asks."""
    return {
        "kind": offer.kind.value,
        "changes": {name: _as_asked(value) for name, value in offer.changes.items()},
        "detail": offer_sentence(offer),
    }


def _as_asked(value: object) -> object:
    if isinstance(value, time | date):
        return value.isoformat()
    return [_as_asked(one) for one in value] if isinstance(value, tuple) else value


def _in_all_languages(problem: Problem) -> dict[str, str]:
    said = {}
    for code in LANGUAGES:
        with force_locale(code):
            said[code] = " ".join(problem.sentences)
    return said
