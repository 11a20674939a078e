"""What the SIM of a cluster may use in a month, and what it has used."""

from server.web.data_plans.views import pages

__all__ = ["pages"]
