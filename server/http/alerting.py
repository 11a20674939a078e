"""Which services people may be told on, as this installation was set up."""

from server.http.context import here
from server.integrations.apprise_services import allowed_schemes


def schemes() -> tuple[str, ...]:
    """List the schemes of addresses that may be used."""
    return allowed_schemes(here().settings.alert_schemes)
