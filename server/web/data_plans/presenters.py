"""How the plan of a SIM stands, in words and as the length of a bar."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from server.domain.data_plans import DataUse, Standing, volume_text
from server.http.languages import gettext
from server.http.wording import N_
from server.web.formats import amount, dmy, figure

_WARNINGS: Mapping[Standing, str] = MappingProxyType(
    {
        Standing.FINE: "",
        Standing.NEAR: N_("Most of the SIM’s data for this month is used (%(percent)s%%)"),
        Standing.OVER: N_("The SIM’s data for this month is used up (%(percent)s%%)"),
    }
)


@dataclass(frozen=True, slots=True)
class DataShown:
    """How a plan stands.

    Attributes:
        css: What colours it.
        bar_percent: How long the bar is; a plan that is exceeded has a full one.
        used: How much of how much is used, and until when that is to last.
        forecast: How much it will be; empty: it is too early to say.
        counted: Since when it has been counted, where that is not the whole month.
        warning: Why somebody should see to it; empty: nobody has to.
    """

    css: str
    bar_percent: int
    used: str
    forecast: str
    counted: str
    warning: str


def shown(use: DataUse) -> DataShown:
    """Put into words how a plan stands."""
    percent = figure(use.percent)
    used = gettext(
        "SIM: %(used)s of %(plan)s used (%(percent)s%%), anew on %(day)s",
        used=amount(use.used_mb),
        plan=volume_text(use.monthly_mb),
        percent=percent,
        day=dmy(use.after),
    )
    warning = _WARNINGS[use.standing]
    return DataShown(
        css=use.standing.value,
        bar_percent=min(100, use.percent),
        used=used,
        forecast=_forecast(use),
        counted=_counted(use),
        warning=gettext(warning, percent=percent) if warning else "",
    )


def _forecast(use: DataUse) -> str:
    if use.forecast_mb is None:
        return ""
    return gettext("If it goes on like this, %(amount)s by then", amount=amount(use.forecast_mb))


def _counted(use: DataUse) -> str:
    if use.counted_from is None:
        return gettext("The equipment has not yet told what it has used this month")
    if use.counted_from == use.first:
        return ""
    return gettext("Counted since %(day)s", day=dmy(use.counted_from))
