#!/bin/sh
# Run tests, all of a kind, and fail when one failed: scripts/test.sh PYTEST every-day|slow
set -eu
pytest=$1
# Hundreds of processes are started here, and most of them load the same files: each is understood
# once, whatever the surroundings ask for.
unset PYTHONDONTWRITEBYTECODE

# Nothing of ours waits for the clock here: as many at once as the machine takes.
many="-n 3 --dist worksteal tests/unit tests/contracts tests/house tests/integration"
# What listens moves by the clock on the wall, as programs and people do: one at a time.
heard="tests/contracts tests/integration"

failed=""

# timed NAME MARKS PATH...: tests that are timed. On a busy machine what failed gets a second try,
# and it is told.
timed() {
    name=$1 marks=$2 cache="cache_dir=.stamps/pytest/$1"
    shift 2
    echo "== $name"
    "$pytest" -q -o "$cache" -m "$marks" "$@" && return
    waited
    echo "== $name, once more what failed: it may have been disturbed"
    "$pytest" -q -o "$cache" -m "$marks" --last-failed --last-failed-no-failures none "$@" ||
        failed="$failed $name"
}

behind=""
log=$(mktemp)
trap 'rm -f "$log"; [ -z "$behind" ] || kill "$behind" 2>/dev/null || true' EXIT

# Wait for what runs behind, and show what it said.
waited() {
    [ -n "$behind" ] || return 0
    wait "$behind" || failed="$failed rules-and-services"
    behind=""
    echo "== rules and services"
    cat "$log"
}

case $2 in
    every-day)
        # These are busy, those below mostly wait: they take what the others leave.
        # shellcheck disable=SC2086 # several words
        nice -n 10 "$pytest" -q -m "not slow and not sound" $many >"$log" 2>&1 &
        behind=$!
        timed programs "not slow" tests/e2e
        timed pages "not slow" tests/browser
        waited
        ;;
    slow)
        # shellcheck disable=SC2086
        timed sound "sound" $heard
        timed slow-programs "slow" tests/e2e
        timed slow-pages "slow" tests/browser
        echo "== slow rules and services"
        # shellcheck disable=SC2086
        "$pytest" -q -m slow $many || failed="$failed slow-rules-and-services"
        ;;
    *)
        echo "scripts/test.sh PYTEST every-day|slow" >&2
        exit 2
        ;;
esac

[ -z "$failed" ] || { echo "FAILED:$failed" >&2; exit 1; }
echo "all passed: $2"
