"""Which clusters hold which plans, and what a late edit still reaches."""

from server.web.plans.views import pages

__all__ = ["pages"]
