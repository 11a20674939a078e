"""What gunicorn serves: ``gunicorn server.wsgi:app``."""

from datetime import UTC, datetime, timedelta

from server.app import create_app, sweep
from server.observability import set_up_logging, settle
from server.settings import Settings

LEFT_BEHIND = timedelta(days=1)
"""Much longer than any upload takes: another worker's is left alone."""

set_up_logging()
_settings = Settings()
sweep(_settings, before=datetime.now(UTC) - LEFT_BEHIND)
app = create_app(_settings)
settle()
