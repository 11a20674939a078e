"""Words for states, classes and outcomes, each with the shape that says the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from protocol.messages import SoundVerdict
from server.domain.record_chains import ClusterChains
from server.http.languages import gettext, ngettext
from server.http.wording import ALARMS, N_
from server.web.formats import amount, dmy_hm, figure


@dataclass(frozen=True, slots=True)
class Sign:
    """How a state is shown: never by colour alone.

    Attributes:
        css: Class that colours it.
        icon: Its shape.
        sentence: Its name, not yet translated.
    """

    css: str
    icon: str
    sentence: str

    @property
    def label(self) -> str:
        """Its name in the reader's language."""
        return gettext(self.sentence)


ON_AIR = Sign("on-air", "broadcast", N_("On air"))
HOLDS_NEWEST = Sign("here", "check2-all", N_("Newest plan"))
BEHIND = Sign("late", "clock-history", N_("Older plan"))

_LIVENESS: Mapping[str, Sign] = MappingProxyType(
    {
        "here": Sign("here", "check-circle-fill", N_("Connected")),
        "late": Sign("late", "exclamation-triangle-fill", N_("Slow to answer")),
        "lost": Sign("lost", "x-octagon-fill", N_("Connection lost")),
        "leaving": Sign("away", "moon", N_("Switched off")),
        "never": Sign("away", "hourglass-split", N_("Not connected yet")),
        "none": Sign("away", "dash-circle", N_("No equipment yet")),
    }
)
_CLASSES: Mapping[str, Sign] = MappingProxyType(
    {
        "ordinary": Sign("ordinary", "circle", N_("Ordinary")),
        "priority": Sign("priority", "star-fill", N_("Priority")),
        "emergency": Sign("emergency", "exclamation-octagon-fill", N_("Emergency")),
    }
)
_ALERTS: Mapping[str, Sign] = MappingProxyType(
    {
        "waiting": Sign("waiting", "hourglass-split", N_("To be sent")),
        "sending": Sign("waiting", "send-fill", N_("Being sent")),
        "sent": Sign("here", "check2-all", N_("Sent")),
        "given-up": Sign("lost", "x-octagon-fill", N_("Not sent, given up")),
        "dropped": Sign("away", "dash-circle", N_("Not needed any more")),
        "to-call": Sign("late", "telephone-fill", N_("To be called")),
    }
)
_DELIVERIES: Mapping[str, Sign] = MappingProxyType(
    {
        "sent": Sign("waiting", "hourglass-split", N_("No answer yet")),
        "received": Sign("waiting", "check2", N_("Received, about to sound")),
        "hushed": Sign("away", "slash-circle", N_("Received, silent by order")),
        "started": Sign("on-air", "broadcast", N_("Sounding")),
        "preempted": Sign("late", "pause-fill", N_("Interrupted")),
        "played": Sign("here", "check2-all", N_("Played to the end")),
        "cut": Sign("late", "pause-fill", N_("Cut short")),
        "stopped": Sign("away", "stop-fill", N_("Stopped")),
        "refused": Sign("lost", "shield-exclamation", N_("Refused")),
        "failed": Sign("lost", "x-octagon-fill", N_("Failed")),
        "missed": Sign("lost", "slash-circle", N_("Not played")),
    }
)
_RECORD_CHAINS: Mapping[str, Sign] = MappingProxyType(
    {
        "whole": Sign("here", "check2-all", N_("Records are whole")),
        "gap": Sign("late", "shield-exclamation", N_("Records are missing")),
        "broken": Sign("lost", "shield-exclamation", N_("Records have been altered")),
        "none": Sign("away", "dash-circle", N_("Records that cannot be checked")),
    }
)
_PROOFS: Mapping[SoundVerdict, Sign] = MappingProxyType(
    {
        SoundVerdict.HEARD: Sign("here", "volume-up-fill", N_("The microphone heard it")),
        SoundVerdict.TOO_QUIET: Sign("late", "exclamation-triangle-fill", N_("Much too quiet")),
        SoundVerdict.BUZZING: Sign("late", "exclamation-triangle-fill", N_("Buzzing")),
        SoundVerdict.SILENT_HORN: Sign("lost", "x-octagon-fill", N_("The loudspeaker was silent")),
        SoundVerdict.UNCLEAR: Sign("away", "question-circle", N_("Too much noise to tell")),
    }
)
_BULLETINS: Mapping[str, Sign] = MappingProxyType(
    {
        "draft": Sign("away", "pencil", N_("Draft")),
        "submitted": Sign("waiting", "hourglass-split", N_("Waiting for approval")),
        "approved": Sign("here", "check-circle-fill", N_("Approved")),
        "sent": Sign("waiting", "send-fill", N_("Sent")),
        "played": Sign("here", "check2-all", N_("Played")),
        "declined": Sign("lost", "slash-circle", N_("Declined")),
        "expired": Sign("lost", "hourglass-split", N_("Expired")),
        "withdrawn": Sign("away", "trash", N_("Called back")),
    }
)
_ANSWERS: Mapping[str, Sign] = MappingProxyType(
    {
        "waiting": Sign("waiting", "hourglass-split", N_("Waiting for an answer")),
        "taken": Sign("here", "check-circle-fill", N_("Taken")),
        "declined": Sign("lost", "slash-circle", N_("Declined")),
        "unanswered": Sign("lost", "question-circle", N_("Not answered")),
        "placed": Sign("here", "calendar3", N_("Placed")),
        "seeking": Sign("waiting", "hourglass-split", N_("Waits for a place")),
        "unplaced": Sign("lost", "exclamation-triangle-fill", N_("Not placed")),
        "announced": Sign("waiting", "megaphone-fill", N_("Ordered to sound")),
        "played": Sign("here", "check2-all", N_("Played")),
        "missed": Sign("lost", "slash-circle", N_("Not played")),
        "withdrawn": Sign("away", "trash", N_("Called back")),
    }
)
_ACTS: Mapping[str, str] = MappingProxyType(
    {
        "compose": N_("wrote it"),
        "edit": N_("changed it"),
        "submit": N_("asked for approval"),
        "approve": N_("approved it"),
        "return": N_("sent it back"),
        "send": N_("sent it"),
        "withdraw": N_("withdrew it"),
        "take": N_("took it"),
        "decline": N_("declined it"),
    }
)
_PLACING: Mapping[str, str] = MappingProxyType(
    {"no-opening": N_("No hours that are open to it are long enough.")}
)
_SEVERITIES: Mapping[int, str] = MappingProxyType(
    {
        0: N_("Severity unknown"),
        1: N_("Minor"),
        2: N_("Moderate"),
        3: N_("Severe"),
        4: N_("Extreme"),
    }
)
_ROLES: Mapping[str, str] = MappingProxyType(
    {
        "admin": N_("Administrator"),
        "broadcaster": N_("Broadcaster"),
        "commune-officer": N_("Commune officer"),
        "technician": N_("Technician"),
        "viewer": N_("Viewer"),
    }
)
_RECURRENCES: Mapping[str, str] = MappingProxyType(
    {
        "once": N_("Once"),
        "daily": N_("Every day"),
        "weekly": N_("On days of the week"),
        "monthly": N_("Every month"),
        "lunar": N_("By the moon"),
        "rrule": N_("Advanced (RRULE)"),
    }
)
_CONTENT_KINDS: Mapping[str, str] = MappingProxyType(
    {"files": N_("Files"), "relay": N_("A radio station"), "live": N_("Live")}
)
_START_MODES: Mapping[str, str] = MappingProxyType(
    {
        "cut": N_("Cut it at once"),
        "wait": N_("Wait a little, then cut"),
        "next": N_("Come after the file that is sounding"),
    }
)
_WHEN_CUT: Mapping[str, str] = MappingProxyType(
    {
        "rejoin": N_("Join where the clock says"),
        "resume": N_("Go on where it was cut"),
        "drop": N_("Leave the rest out"),
    }
)
_TROUBLES: Mapping[str, str] = MappingProxyType(
    {
        "audio-does-not-fit": N_("Its disk has no room for all the sound it needs"),
        "audio-unreachable": N_("It cannot fetch sound that is needed soon"),
        "audio-wrong": N_("A sound file reaches it damaged, again and again"),
        "disk-full": N_("Its disk is full: what it is told now is lost at a restart"),
        "disk-read-only": N_("Its disk takes nothing any more and should be replaced"),
        "disk-failing": N_("Its disk fails and should be replaced"),
        "flooded": N_("It is flooded with messages, and drops what is neither genuine nor new"),
        "plan-refused": N_("It cannot read the newest plan: its software may be too old"),
    }
)
_EQUIPMENT: Mapping[str, str] = MappingProxyType(
    {
        "amplifier": N_("Amplifier that it switches"),
        "amplifier-fault": N_("Contact that tells of a fault of the amplifier"),
        "door": N_("Door contact"),
        "fan": N_("Fan"),
        "lamps": N_("Lamps"),
        "listening": N_("Hears its own loudspeaker"),
        "mains-lost": N_("Contact that tells of lost mains power"),
        "silence-key": N_("Silence key"),
        "talk-key": N_("Talk key with a microphone"),
    }
)
_NETWORKS: Mapping[str, str] = MappingProxyType(
    {
        "ethernet": N_("Cable"),
        "wifi": N_("Wi-Fi"),
        "mobile": N_("Mobile network"),
    }
)
_MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "signal_dbm": N_("%(number)s dBm"),
        "data_month_mb": N_("%(number)s this month"),
        "temperature_c": N_("%(number)s °C"),
        "disk_free_mb": N_("%(number)s free on the card"),
        "card_wear_percent": N_("card worn %(number)s%%"),
    }
)
CLASSES = tuple(_CLASSES)
CONTENT_KINDS = tuple(_CONTENT_KINDS)
START_MODES = tuple(_START_MODES)
WHEN_CUT = tuple(_WHEN_CUT)
RECURRENCES = tuple(_RECURRENCES)


_TONES: Mapping[str, str] = MappingProxyType(
    {
        "heard": N_("test tone heard %(at)s"),
        "silent-horn": N_("test tone not heard %(at)s"),
        "unclear": N_("test tone %(at)s: too much noise to tell"),
    }
)


def liveness(code: str) -> Sign:
    """Show whether a cluster's equipment answers."""
    return _LIVENESS.get(code, _LIVENESS["none"])


def alarm(name: str) -> str:
    """Say what is amiss at a node; an unknown alarm is shown as it is."""
    return gettext(ALARMS.get(name, name))


def machine(measured: Mapping[str, Any]) -> str:
    """Say in a line how a node's machine fares, from what it measured; empty for nothing known."""
    network = _NETWORKS.get(str(measured.get("network")))
    told = [gettext(network)] if network else []
    for name, sentence in _MEASURES.items():
        if isinstance(value := measured.get(name), int | float):
            number = amount(value) if name.endswith("_mb") else figure(round(value))
            told.append(gettext(sentence, number=number))
    if tone := test_tone(measured):
        told.append(tone)
    return " · ".join(told)


def test_tone(measured: Mapping[str, Any]) -> str:
    """Say what became of a node's newest test tone, and when; empty where there was none."""
    told = measured.get("tone")
    if not told:
        return ""
    sentence = _TONES.get(told["verdict"], _TONES["unclear"])
    return gettext(sentence, at=dmy_hm(datetime.fromisoformat(told["at"])))


def bulletin_class(code: str) -> Sign:
    """Show a class of bulletin (Circular 39/2020/TT-BTTTT)."""
    return _CLASSES.get(code, _CLASSES["ordinary"])


def delivery(code: str) -> Sign:
    """Show what has become of an announcement, or of a claim, at one cluster."""
    return _DELIVERIES.get(code, _DELIVERIES["sent"])


def proof(verdict: SoundVerdict) -> Sign:
    """Show what a node's microphone says of a sound."""
    return _PROOFS[verdict]


def record_chain(state: str) -> Sign:
    """Show how a cluster's records hang together."""
    return _RECORD_CHAINS[state]


def record_chain_figures(chains: ClusterChains) -> str:
    """Say how many records of a cluster are held, and how many of them are amiss."""
    if not chains.records:
        return gettext("Its equipment has not sent any that can be checked.")
    told = [ngettext("%(num)d record checked", "%(num)d records checked", chains.records)]
    if chains.broken:
        told.append(ngettext("%(num)d altered", "%(num)d altered", chains.broken))
    if chains.missing:
        told.append(
            ngettext(
                "%(num)d missing, perhaps still on its way",
                "%(num)d missing, perhaps still on their way",
                chains.missing,
            )
        )
    return " · ".join(told)


def bulletin_state(code: str) -> Sign:
    """Show where a bulletin stands."""
    return _BULLETINS.get(code, _BULLETINS["draft"])


def bulletin_answer(code: str) -> Sign:
    """Show what has become of a bulletin at one commune."""
    return _ANSWERS.get(code, _ANSWERS["waiting"])


def bulletin_act(code: str) -> str:
    """Say what somebody did with a bulletin."""
    return gettext(_ACTS.get(code, code))


def bulletin_reason(reason: str) -> str:
    """Show why a bulletin was declined, in the commune's own words, or why it has no place."""
    sentence = _PLACING.get(reason)
    return reason if sentence is None else gettext(sentence)


def alert(state: str) -> Sign:
    """Show what has become of an alert."""
    return _ALERTS[state]


def severity(step: int) -> str:
    """Name a step of how grave an emergency is."""
    return gettext(_SEVERITIES[step])


def role(code: str) -> str:
    """Name a role."""
    return gettext(_ROLES.get(code, code))


def recurrence(code: str) -> str:
    """Name how often a slot comes back."""
    return gettext(_RECURRENCES.get(code, code))


def content_kind(code: str) -> str:
    """Name what fills a slot."""
    return gettext(_CONTENT_KINDS.get(code, code))


def content(kind: str, files: int) -> str:
    """Say what fills a slot."""
    return (
        content_kind(kind) if kind != "files" else ngettext("%(num)d file", "%(num)d files", files)
    )


def trouble(code: str) -> str:
    """Say what a node cannot do by itself."""
    return gettext(_TROUBLES.get(code, code))


def equipment(code: str) -> str:
    """Name what is wired to the board of a box."""
    return gettext(_EQUIPMENT.get(code, code))


def start_mode(code: str) -> str:
    """Name how a slot takes over from what is sounding."""
    return gettext(_START_MODES.get(code, code))


def when_cut(code: str) -> str:
    """Name what becomes of a slot that was cut."""
    return gettext(_WHEN_CUT.get(code, code))
