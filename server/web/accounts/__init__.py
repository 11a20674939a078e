"""The reader's own choices; log-in itself is Flask-Security's."""

from server.web.accounts.factor import pages as factor_pages
from server.web.accounts.views import pages

__all__ = ["factor_pages", "pages"]
