"""Plans at clusters, and late edits, in sentences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from server.domain.plan_versions import TakeOver
from server.http.languages import gettext, ngettext
from server.http.wording import N_
from server.services.plan_states import ClusterPlans, LateEdit
from server.web.formats import hms
from server.web.words import Sign

MOST_NAMED = 5
MOST_LISTED = 300

_SIGNS = {
    TakeOver.TAKEN: ("here", "check2"),
    TakeOver.ON_ITS_WAY: ("waiting", "hourglass-split"),
    TakeOver.UNREACHABLE: ("lost", "wifi-off"),
    TakeOver.TOO_LATE: ("lost", "x-octagon-fill"),
}


@dataclass(frozen=True, slots=True)
class Listed:
    """The clusters that the page shows, and how many it leaves out."""

    clusters: tuple[ClusterPlans, ...]
    left_out: int


def listed(clusters: Sequence[ClusterPlans], *, everyone: bool) -> Listed:
    """Choose whom to show: those that are behind, or all; they come first anyway."""
    wanted = [one for one in clusters if everyone or not one.up_to_date]
    return Listed(tuple(wanted[:MOST_LISTED]), max(0, len(wanted) - MOST_LISTED))


def named(places: Iterable[tuple[str, str]]) -> str:
    """Name some clusters by village, or by their own name where they have none."""
    names = [village or name for name, village in places]
    shown = ", ".join(names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    if more <= 0:
        return shown
    return shown + " " + ngettext("and %(num)d more", "and %(num)d more", more)


def sign(state: TakeOver, *, withdrawn: bool) -> Sign:
    """Show where an edit stands at one cluster."""
    css, icon = _SIGNS[state]
    return Sign(css, icon, _state_sentence(state, withdrawn=withdrawn))


def sentences(edit: LateEdit, now: datetime) -> list[str]:
    """Say in short what a late edit has reached and what it will not."""
    when = hms(edit.begins)
    total = len(edit.clusters)
    taken = edit.count(TakeOver.TAKEN)
    said = [gettext("%(num)s of %(total)s clusters have taken it over", num=taken, total=total)]
    withdrawn = edit.slot.withdrawn_at is not None
    for state in (TakeOver.ON_ITS_WAY, TakeOver.UNREACHABLE, TakeOver.TOO_LATE):
        places = [(one.name, one.village) for one in edit.clusters if one.state is state]
        if places:
            said.append(_about(state, named(places), when, withdrawn=withdrawn))
    if taken < total and withdrawn and now < edit.begins:
        said.append(gettext("Where it does not arrive, it will still sound at %(when)s", when=when))
    return said


def beforehand(begins: datetime, now: datetime, missing: Sequence[tuple[str, str]]) -> list[str]:
    """Warn before saving that something begins within a minute, or sounds already."""
    left_s = int((begins - now).total_seconds())
    if left_s <= 0:
        said = [gettext("It is in the middle of its time now: clusters join it by the clock.")]
    else:
        said = [
            gettext(
                "It begins in %(seconds)d s: clusters that are not connected now will miss it.",
                seconds=left_s,
            )
        ]
    if missing:
        said.append(gettext("Not connected now: %(names)s.", names=named(missing)))
    return said


def _state_sentence(state: TakeOver, *, withdrawn: bool) -> str:
    match state:
        case TakeOver.TAKEN:
            return N_("Taken over")
        case TakeOver.ON_ITS_WAY:
            return N_("On its way")
        case TakeOver.UNREACHABLE:
            return N_("Not connected")
        case TakeOver.TOO_LATE:
            return N_("May sound all the same") if withdrawn else N_("Not in time")


def _about(state: TakeOver, names: str, when: str, *, withdrawn: bool) -> str:
    if state is TakeOver.ON_ITS_WAY:
        return gettext("On its way to %(names)s", names=names)
    if state is TakeOver.UNREACHABLE:
        return gettext(
            "%(names)s: not connected, will not have it in time for %(when)s",
            names=names,
            when=when,
        )
    if withdrawn:
        return gettext(
            "%(names)s: did not have it by %(when)s and may sound it", names=names, when=when
        )
    return gettext("%(names)s: did not have it in time for %(when)s", names=names, when=when)
