"""Whose horns overlap, whose turn is when, and whether they take turns on air."""

from server.web.neighbours.views import pages

__all__ = ["pages"]
