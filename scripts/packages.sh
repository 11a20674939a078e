#!/bin/sh
# Bring the virtual environment to exactly what a pinned list names: scripts/packages.sh DIR LIST
set -eu
venv=$1
list=$2

export VIRTUAL_ENV="$PWD/$venv"
uv="$venv/bin/uv"
# What the programs load is compiled now, so that each start is quick. What only the tests load is
# compiled when it is first loaded: much of it never is.
"$uv" pip install --quiet --compile-bytecode --require-hashes --requirement requirements/server.txt
"$uv" pip sync --quiet --require-hashes "$list"
"$uv" pip install --quiet --no-deps --build-constraints requirements/setup.txt --editable .
"$venv/bin/python" -m compileall -q protocol audio_library edge server firmware_config
