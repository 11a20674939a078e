"""What will play when, and adding to it."""

from server.web.schedule.views import pages

__all__ = ["pages"]
