"""How long the plans and timelines of a province, and of a country, take.

``make bench-timeline`` prints one line of JSON last. Every figure is the slower one of SQLite and
PostgreSQL; rows are read anew each time. To compile a plan is to go from the rows to its bytes and
their digest, as is done before one is published.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from random import Random

from sqlalchemy.orm import Session

from protocol.messages import encode
from server.domain.recurrence import local_day
from server.services import planning, scheduling, units
from server.store.engine import open_engine, open_sessions
from tests.bench.measuring import (
    ENGINES,
    database,
    p95_ms,
    peak_rss_mb,
    report,
    say,
    timed_s,
)
from tests.factories.claims import NOON
from tests.factories.countries import Size, enter_country

ASKED = 200
SLOTS_OF_PROVINCE = (1_000, 3_000, 10_000)
PROVINCES = (2, 8, 34)
OF_A_COUNTRY = Size(communes=98, clusters=2942, slots=2942)
"""Of which 34 have 100,000 clusters and 100,000 slots."""

TIMES = 3
