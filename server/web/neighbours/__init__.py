"""Whose horns overlap, and whose turn would be when."""

from server.web.neighbours.views import pages

__all__ = ["pages"]
