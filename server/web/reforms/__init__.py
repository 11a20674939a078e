"""Reforms of the tree: draw one step by step, see all that it does, approve it."""

from server.web.reforms import review, views
from server.web.reforms.views import pages

__all__ = ["pages", "review", "views"]
