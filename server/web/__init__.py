"""Pages for people, Vietnamese first."""

from flask import Flask

from server.http.context import Installation
from server.web import (
    accounts,
    aired,
    as_run,
    assent,
    bulletins,
    calendars,
    contacts,
    dashboard,
    data_plans,
    desk,
    dossiers,
    escalation,
    exports,
    frames,
    groups,
    hushes,
    live,
    neighbours,
    phone,
    plans,
    preview,
    reforms,
    schedule,
    static_files,
    stream,
    units,
    upkeep,
    warnings,
)
from server.web.errors import error_page
from server.web.security import set_up_security
from server.web.shell import set_up_shell

__all__ = ["error_page", "register"]


def register(app: Flask, installation: Installation) -> None:
    """Add the pages, and the wall before them, to an application."""
    set_up_security(app, installation)
    set_up_shell(app)
    for part in (
        dashboard,
        schedule,
        desk,
        plans,
        preview,
        frames,
        groups,
        reforms,
        live,
        dossiers,
        escalation,
        contacts,
        warnings,
        phone,
        static_files,
        hushes,
        assent,
        as_run,
        aired,
        stream,
        accounts,
        units,
        upkeep,
        data_plans,
        neighbours,
    ):
        app.register_blueprint(part.pages)
    app.register_blueprint(live.microphone_pages)
    app.register_blueprint(bulletins.pages)
    app.register_blueprint(bulletins.inbox_pages)
    app.register_blueprint(live.waiting_pages)
    app.register_blueprint(accounts.factor_pages)
    for way_out in (exports, calendars):
        app.register_blueprint(way_out.pages)
    calendars.slow_down_readings(app)
