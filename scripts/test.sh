#!/bin/sh
# Run tests, all of a kind, and fail when one failed: scripts/test.sh PYTEST every-day|slow
set -eu
pytest=$1
# Hundreds of processes are started here, and most of them load the same files: each is understood
# once, whatever the surroundings ask for.
unset PYTHONDONTWRITEBYTECODE

# Nothing of ours waits for the clock here.
rules="tests/unit tests/contracts tests/house tests/integration"
# What real time measures, as programs and people live by it: one at a time.
heard="tests/contracts tests/integration"

# Files of tests are read as they are. Only what failed is read the long way, which can say what it
# compared.
plain="--assert=plain"
behind_cache="cache_dir=.stamps/pytest/rules"

failed=""

# timed NAME MARKS PATH...: tests that are timed. On a busy machine what failed gets a second try,
# and it is told.
timed() {
    name=$1 marks=$2 cache="cache_dir=.stamps/pytest/$1"
    shift 2
    echo "== $name"
    "$pytest" -q "$plain" -o "$cache" -m "$marks" "$@" && return
    waited
    echo "== $name, once more what failed: it may have been disturbed"
    "$pytest" -q -o "$cache" -m "$marks" --last-failed --last-failed-no-failures none "$@" ||
        failed="$failed $name"
}

log=$(mktemp)
behind=""
trap 'rm -f "$log"; [ -z "$behind" ] || kill "$behind" 2>/dev/null || true' EXIT

# behind MARKS: begin with rules and services, which answer the same at any speed: as many at once
# as the machine takes, and after all else.
behind() {
    behind_marks=$1
    # shellcheck disable=SC2086 # several words
    nice -n 10 "$pytest" -q "$plain" -o "$behind_cache" -m "$behind_marks" -n 3 --dist worksteal \
        $rules >"$log" 2>&1 &
    behind=$!
}

# Wait for what runs behind, and show what it said. What failed there has failed: it is run once
# more to say why.
waited() {
    [ -n "$behind" ] || return 0
    status=0
    wait "$behind" || status=$?
    behind=""
    echo "== rules and services"
    cat "$log"
    [ $status -ne 0 ] || return 0
    failed="$failed rules-and-services"
    echo "== rules and services, once more what failed"
    # shellcheck disable=SC2086
    "$pytest" -q -o "$behind_cache" -m "$behind_marks" --last-failed \
        --last-failed-no-failures none $rules || true
}

case $2 in
    every-day)
        behind "not slow and not sound"
        timed programs "not slow" tests/e2e
        timed pages "not slow" tests/browser
        waited
        ;;
    slow)
        # shellcheck disable=SC2086
        timed sound "sound" $heard
        timed slow-programs "slow" tests/e2e
        timed slow-pages "slow" tests/browser
        behind "slow and not sound"
        waited
        ;;
    *)
        echo "scripts/test.sh PYTEST every-day|slow" >&2
        exit 2
        ;;
esac

[ -z "$failed" ] || { echo "FAILED:$failed" >&2; exit 1; }
echo "all passed: $2"
