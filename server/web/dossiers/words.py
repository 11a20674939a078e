"""What stands in the record of an announcement, in words."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from server.domain.languages import NAMES
from server.http.languages import gettext, ngettext
from server.http.wording import N_, alert_sentence, reason_sentence
from server.services.dossiers import Dossier, Said, Witness
from server.store.models import AlertRow
from server.web import words
from server.web.formats import dmy, hms, iso_hms, lasting
from server.web.live.presenters import loudness_words

_ACTS: Mapping[str, str] = MappingProxyType(
    {
        "asked": N_("Asked for by"),
        "confirmed": N_("Confirmed by"),
        "sent": N_("Sent by"),
        "stopped": N_("Stopped by"),
    }
)


def fact_words(found: Dossier) -> Iterator[tuple[str, str]]:
    """Tell who ordered it, by what right, where and when: what each is called, and what it is."""
    row = found.broadcast
    yield gettext("Class"), words.bulletin_class(row.bulletin_class).label
    if row.bulletin_class == "emergency":
        yield gettext("Severity"), words.severity(row.severity)
    if row.decision_number:
        yield gettext("Decision"), row.decision_number
    for deed in found.deeds:
        yield act_words(deed.act), f"{found.people[deed.login]}, {hms(deed.at)} {dmy(deed.at)}"
    yield gettext("Where"), ", ".join(found.places)
    if found.but:
        yield gettext("But not"), ", ".join(found.but)
    yield gettext("How loud"), loudness_words(row.gain_db)
    total = len(found.witnesses)
    yield (
        gettext("Sounded"),
        gettext("at %(num)s of %(total)s clusters", num=found.sounded, total=total),
    )
    if found.span is not None:
        yield gettext("First and last sound"), f"{hms(found.span[0])} – {hms(found.span[1])}"
    yield gettext("Signed order (SHA-256)"), found.order_digest


def act_words(act: str) -> str:
    """Name a deed."""
    return gettext(_ACTS[act])


def outcome_words(witness: Witness) -> str:
    """Tell what became of it at a cluster, and why."""
    outcome = words.delivery(witness.outcome).label
    return f"{outcome}: {reason_sentence(witness.reason)}" if witness.reason else outcome


def piece_words(found: Dossier) -> Mapping[str, str]:
    """Name what was heard, by digest: each file by its title, and what has none."""
    titles = {said.digest: said_words(said) for said in found.said}
    return {"": gettext("Spoken live"), **titles}


def said_words(said: Said) -> str:
    """Name one file that was said."""
    return gettext("Opening chime") if said.purpose == "chime" else said.title


def told_words(alert: AlertRow) -> str:
    """Tell what became of each try to tell somebody."""
    tries = (f"{iso_hms(one['at'])} {_result_words(one)}" for one in alert.results)
    return "; ".join((words.alert(alert.state).label, *tries))


def _result_words(one: Mapping[str, str]) -> str:
    return ": ".join(filter(None, (alert_sentence(one["result"]), one["words"])))


def about_words(said: Said) -> str:
    """Tell in which language one file speaks, how long it is and how often it was ordered."""
    language = "" if said.purpose == "chime" else NAMES.get(said.language, said.language)
    turns = ngettext("%(num)d time", "%(num)d times", said.turns) if said.turns > 1 else ""
    return " · ".join(filter(None, (language, lasting(said.length_s), turns)))
