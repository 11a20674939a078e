#!/bin/sh
# Make the virtual environment and put uv into it: scripts/venv.sh DIR
set -eu
venv=$1

newest_python() {
    for name in python3 python3.13 python3.12 python3.11 python3.14; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "Python 3.11 or newer is needed. On Debian: apt install python3 python3-venv" >&2
    exit 1
}

if ! "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$(newest_python)
    rm -rf "$venv"
    if ! "$python" -m venv "$venv"; then
        rm -rf "$venv"
        echo "$python cannot make a virtual environment. On Debian: apt install python3-venv" >&2
        exit 1
    fi
fi
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    "$venv/bin/python" -m ensurepip --default-pip >/dev/null
fi
"$venv/bin/python" -m pip install --quiet --require-hashes --requirement requirements/setup.txt
