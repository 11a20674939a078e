"""Building the tree up: villages and clusters from a spreadsheet."""

from server.web.units.views import pages

__all__ = ["pages"]
