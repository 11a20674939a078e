"""What gunicorn serves: ``gunicorn server.wsgi:app``."""

from server.app import create_app
from server.settings import Settings

app = create_app(Settings())
