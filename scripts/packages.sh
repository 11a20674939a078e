#!/bin/sh
# Bring the virtual environment to exactly what a pinned list names: scripts/packages.sh DIR LIST
set -eu
venv=$1
list=$2

export VIRTUAL_ENV="$PWD/$venv"
uv="$venv/bin/uv"
"$uv" pip sync --quiet --require-hashes "$list"
"$uv" pip install --quiet --no-deps --build-constraints requirements/setup.txt --editable .
# What the programs load is compiled now, so that each start is quick. All else is compiled when it
# is first loaded: much of it never is.
unset PYTHONDONTWRITEBYTECODE
"$venv/bin/python" -m compileall -q protocol audio_library edge server firmware_config &
"$venv/bin/python" -c "import gunicorn.app.wsgiapp, server.app, server.cli.up, alembic.command"
wait $!
"$venv/bin/python" -c "import server.live.runner, server.mqtt.embedded, server.scheduler.runner, edge.__main__"
