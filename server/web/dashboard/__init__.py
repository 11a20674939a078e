"""The clusters: who answers, and what they play."""

from server.web.dashboard.views import pages

__all__ = ["pages"]
