"""Units' broadcasts for calendar programs."""

from server.web.calendars.limits import slow_down_readings
from server.web.calendars.views import pages

__all__ = ["pages", "slow_down_readings"]
