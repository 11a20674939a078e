"""JSON for machines, under ``/api/v1``."""

from apiflask import APIBlueprint, APIFlask

from server.api import as_run, assets, broadcasts, frames, health, occurrences, slots, units

PREFIX = "/api/v1"


def register(app: APIFlask) -> None:
    """Add the API to an application."""
    blueprint = APIBlueprint("api", __name__, url_prefix=PREFIX, tag="Loa Làng")
    for part in (assets, slots, frames, units, occurrences, broadcasts, as_run, health):
        part.add_to(blueprint)
    app.register_blueprint(blueprint)
