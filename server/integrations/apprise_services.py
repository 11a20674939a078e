"""Which of Apprise's services are used, by the scheme of their addresses.

Only these are loaded: all of them take two seconds, and some of them open files or programs.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType

_WITH_TLS_OR_NOT = {
    "custom_json.NotifyJSON": "json jsons",
    "custom_form.NotifyForm": "form forms",
    "email.NotifyEmail": "mailto mailtos",
    "gotify.NotifyGotify": "gotify gotifys",
    "matrix.NotifyMatrix": "matrix matrixs",
    "ntfy.NotifyNtfy": "ntfy ntfys",
    "signal_api.NotifySignalAPI": "signal signals",
}
_ALWAYS_WITH_TLS = {
    "discord.NotifyDiscord": "discord",
    "slack.NotifySlack": "slack",
    "telegram.NotifyTelegram": "tgram",
    "twilio.NotifyTwilio": "twilio",
    "viber.NotifyViber": "viber",
    "vonage.NotifyVonage": "vonage",
    "workflows.NotifyWorkflows": "workflows",
    "zalo.NotifyZalo": "zalo",
}

SERVICES: Mapping[str, str] = MappingProxyType(
    {
        scheme: service
        for service, schemes in (*_WITH_TLS_OR_NOT.items(), *_ALWAYS_WITH_TLS.items())
        for scheme in schemes.split()
    }
)
"""The class of each scheme, with its module, in ``apprise.plugins``."""


def allowed_schemes(wanted: Collection[str]) -> tuple[str, ...]:
    """Tell which schemes may be used: those that the operator names, or else all that are known."""
    return tuple(scheme for scheme in SERVICES if not wanted or scheme in wanted)
