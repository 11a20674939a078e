"""What will play when, and adding to it."""

from server.web.schedule import slot_views
from server.web.schedule.views import pages

__all__ = ["pages", "slot_views"]
