"""What people are told on their channels: whole texts, in the language of each person.

They leave by telephone and mail, far from any page, so no reader's language is known here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from server.domain.escalation import Silence
from server.domain.recurrence import LOCAL

MOST_NAMED = 20
LANGUAGES = ("vi", "en")


@dataclass(frozen=True, slots=True)
class SilentCluster:
    """A cluster as an alert names it."""

    place: str
    why: Silence
    last_heard_at: datetime | None
    contact_name: str
    contact_phone: str


@dataclass(frozen=True, slots=True)
class Case:
    """An announcement as an alert tells of it; ``address`` is that of its page."""

    title: str
    unit_name: str
    sent_at: datetime
    total: int
    address: str


@dataclass(frozen=True, slots=True)
class Plea:
    """What waits for somebody to confirm it; ``address`` is that of its page."""

    title: str
    unit_name: str
    by: str
    clusters: int
    ends_at: datetime
    address: str


@dataclass(frozen=True, slots=True)
class Text:
    """A subject of one line, and what stands under it."""

    subject: str
    body: str


_VI = {
    "silent": "{silent}/{total} cụm loa chưa trả lời hoặc chưa phát: {title}",
    "still": "Vẫn còn {silent}/{total} cụm loa chưa trả lời hoặc chưa phát: {title}",
    "all": "Nay cả {total}/{total} cụm loa đã phát: {title}",
    "case": "Thông báo “{title}” của {unit}, gửi lúc {at}.",
    "no-answer": "- {place}: chưa trả lời, tín hiệu gần nhất {heard}{call}",
    "not-sounding": "- {place}: đã nhận lệnh nhưng chưa phát, tín hiệu gần nhất {heard}{call}",
    "never": "chưa có lần nào",
    "call": "; gọi {name} {phone}",
    "more": "… và {more} cụm loa khác",
    "page": "Xem: {address}",
    "waits": "Chờ bạn xác nhận đến {until}: {title}",
    "plea": "{by} muốn phát thông báo “{title}” của {unit} tới {total} cụm loa. Chưa cụm loa nào "
    "phát; nếu đến {until} không ai xác nhận thì sẽ không phát.",
    "decide": "Nghe thử, xác nhận hoặc từ chối: {address}",
    "test-subject": "Tin thử của Loa Làng",
    "test": "Kênh này sẽ nhận tin khi có cụm loa không trả lời. Tin thử gửi lúc {at}.",
}
_EN = {
    "silent": "{silent}/{total} clusters do not answer or do not sound: {title}",
    "still": "Still {silent}/{total} clusters do not answer or do not sound: {title}",
    "all": "Now all {total}/{total} clusters have sounded: {title}",
    "case": "Announcement “{title}” of {unit}, sent at {at}.",
    "no-answer": "- {place}: no answer, last sign of life {heard}{call}",
    "not-sounding": "- {place}: received but not sounding, last sign of life {heard}{call}",
    "never": "never",
    "call": "; call {name} {phone}",
    "more": "… and {more} more clusters",
    "page": "See: {address}",
    "waits": "Waits for you to confirm it until {until}: {title}",
    "plea": "{by} wants to send the announcement “{title}” of {unit} to {total} clusters. None has "
    "sounded; what nobody confirms by {until} is never heard.",
    "decide": "Hear it, confirm or refuse: {address}",
    "test-subject": "Test of Loa Làng",
    "test": "This channel is told when clusters do not answer. Test sent at {at}.",
}
_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType({"vi": _VI, "en": _EN})


def of_silence(
    case: Case, clusters: Sequence[SilentCluster], *, is_first: bool, language: str
) -> Text:
    """Name those who do not answer, each with its last sign of life and whom to call there."""
    say = _WORDS[language]
    kind = "silent" if is_first else "still"
    subject = say[kind].format(silent=len(clusters), total=case.total, title=case.title)
    lines = [_about(case, language), *(_line(one, say) for one in clusters[:MOST_NAMED])]
    if len(clusters) > MOST_NAMED:
        lines.append(say["more"].format(more=len(clusters) - MOST_NAMED))
    return Text(subject, "\n".join((*lines, say["page"].format(address=case.address))))


def of_answers(case: Case, *, language: str) -> Text:
    """Tell that nobody is silent any more."""
    say = _WORDS[language]
    body = "\n".join((_about(case, language), say["page"].format(address=case.address)))
    return Text(say["all"].format(total=case.total, title=case.title), body)


def of_plea(plea: Plea, *, language: str) -> Text:
    """Ask somebody to confirm what waits, or to refuse it."""
    say = _WORDS[language]
    until = _when(plea.ends_at)
    about = say["plea"].format(
        by=plea.by, title=plea.title, unit=plea.unit_name, total=plea.clusters, until=until
    )
    subject = say["waits"].format(until=until, title=plea.title)
    return Text(subject, "\n".join((about, say["decide"].format(address=plea.address))))


def of_test(*, language: str, now: datetime) -> Text:
    """Say what the channel is for."""
    say = _WORDS[language]
    return Text(say["test-subject"], say["test"].format(at=_when(now)))


def _about(case: Case, language: str) -> str:
    at = _when(case.sent_at)
    return _WORDS[language]["case"].format(title=case.title, unit=case.unit_name, at=at)


def _line(cluster: SilentCluster, say: Mapping[str, str]) -> str:
    call = ""
    if cluster.contact_phone:
        call = say["call"].format(name=cluster.contact_name, phone=cluster.contact_phone)
    heard = say["never"] if cluster.last_heard_at is None else _when(cluster.last_heard_at)
    return say[cluster.why.value].format(place=cluster.place, heard=heard, call=call)


def _when(instant: datetime) -> str:
    return f"{instant.astimezone(LOCAL):%H:%M:%S %d/%m/%Y}"
