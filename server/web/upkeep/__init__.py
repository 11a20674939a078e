"""Try and set the loudspeakers of one cluster."""

from server.web.upkeep.views import pages

__all__ = ["pages"]
