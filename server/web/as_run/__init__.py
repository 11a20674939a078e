"""What really sounded."""

from server.web.as_run.views import pages

__all__ = ["pages"]
