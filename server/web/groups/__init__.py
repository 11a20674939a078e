"""Groups of clusters: list, create, change, forget."""

from server.web.groups.views import pages

__all__ = ["pages"]
