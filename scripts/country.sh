#!/bin/sh
# Make the tables of provinces and communes anew from the pinned package: scripts/country.sh VENV
set -eu
venv=$1
brought=$(mktemp -d)
trap 'rm -rf "$brought"' EXIT

# Only its files are read, so none of what it would need to run is brought.
VIRTUAL_ENV="$PWD/$venv" "$venv/bin/uv" pip install --quiet --no-deps --require-hashes \
    --target "$brought" --requirement requirements/country.txt
"$venv/bin/python" scripts/country.py "$brought/vietnamadminunits/data" server/services/country
