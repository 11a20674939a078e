"""Why something is heard or not, in sentences for people."""

from collections.abc import Mapping
from types import MappingProxyType

from protocol.why import Why
from server.domain.absence import Absence
from server.http.languages import gettext
from server.http.wording import N_

_WHY: Mapping[Why, str] = MappingProxyType(
    {
        Why.HUSHED: N_("The loudspeakers are silent by order until that is lifted."),
        Why.QUIET: N_("It falls into quiet hours, in which only a real emergency may sound."),
        Why.CLASS: N_(
            "The other one is of a higher class: emergency, then priority, then ordinary."
        ),
        Why.DRILL: N_("It is a rehearsal, which goes after everything real."),
        Why.SEVERITY: N_("The other emergency is graver."),
        Why.NEWER: N_("The other emergency was ordered later."),
        Why.RANK: N_("The commune has put the other one before it."),
        Why.LIVE: N_("The other one is an announcement or live, which goes before the schedule."),
        Why.FRAME: N_("It is the other unit’s time frame."),
        Why.LEVEL: N_("The other one is of a higher level."),
        Why.EARLIER: N_("The other one began earlier."),
        Why.NAME: N_("Both are equal in everything; then the order of their ids decides."),
    }
)
_ABSENT: Mapping[Absence, str] = MappingProxyType(
    {
        Absence.NOT_YET: N_("Its first day is later."),
        Absence.OVER: N_("Its last day has passed."),
        Absence.EXCLUDED: N_("This day has been excluded."),
        Absence.HOLIDAY: N_("It does not come on public holidays."),
        Absence.WORKDAY: N_("It comes only on public holidays."),
        Absence.OTHER_DAY: N_("It comes once, on another day."),
        Absence.WEEKDAY: N_("It does not come on this day of the week."),
        Absence.MOON: N_("By the moon it is another day."),
        Absence.PATTERN: N_("Its rule does not fall on this day."),
    }
)


def why_sentence(why: Why) -> str:
    """Say why a claim is not heard."""
    return gettext(_WHY[why])


def absence_sentence(why: Absence) -> str:
    """Say why a slot does not come on a day."""
    return gettext(_ABSENT[why])
