"""All that a database holds, to be compared: was anything saved?"""

from sqlalchemy import Engine, MetaData, select

LOGGED_IN = "users"


def contents(engine: Engine) -> dict[str, list[str]]:
    """Read every row of every table, but of whom logged in when."""
    there = MetaData()
    there.reflect(engine)
    with engine.connect() as link:
        return {
            name: sorted(repr(tuple(row)) for row in link.execute(select(table)))
            for name, table in there.tables.items()
            if name != LOGGED_IN
        }
