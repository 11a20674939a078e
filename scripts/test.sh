#!/bin/sh
# Run the lanes of tests in order, all of them, and fail when one failed:
# scripts/test.sh PYTEST LANE...
set -eu
pytest=$1
shift

failed=""
for lane in "$@"; do
    [ -n "$(find "tests/$lane" -name 'test_*.py' 2>/dev/null)" ] || continue
    echo "== $lane"
    "$pytest" -q "tests/$lane" || failed="$failed $lane"
done
[ -z "$failed" ] || { echo "FAILED:$failed" >&2; exit 1; }
echo "all lanes passed: $*"
