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
    # Much of the first lanes is waiting for real clocks and services, so more run at once than
    # there are cores; programs and pages are timed as an operator would feel them, one by one.
    case $lane in
        e2e | browser) several="" ;;
        *) several="-n 3 --dist loadfile" ;;
    esac
    # Several words, or none:
    # shellcheck disable=SC2086
    "$pytest" -q $several "tests/$lane" || failed="$failed $lane"
done
[ -z "$failed" ] || { echo "FAILED:$failed" >&2; exit 1; }
echo "all lanes passed: $*"
