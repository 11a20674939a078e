#!/bin/sh
# Run the lanes of tests in order, all of them, and fail when one failed:
# scripts/test.sh PYTEST LANE...
set -eu
pytest=$1
shift

# These listen to sound in real time: nothing else may run beside them.
sound="tests/contracts/test_output.py tests/contracts/test_player.py
    tests/contracts/test_player_heard.py tests/integration/audio
    tests/integration/edge/test_node_program.py"

# The words of a lane for pytest.
words() {
    case $1 in
        sound) echo "$sound" ;;
        e2e | browser) echo "tests/$1" ;;
        *)
            # Much of these lanes is waiting for services, so more run at once than there are cores.
            echo "-n 3 --dist loadfile tests/$1"
            for path in $sound; do echo "--ignore $path"; done
            ;;
    esac
}

run() {
    lane=$1
    shift
    # shellcheck disable=SC2046 # several words
    "$pytest" -q "$@" $(words "$lane")
}

failed=""
for lane in "$@"; do
    echo "== $lane"
    run "$lane" && continue
    case $lane in
        sound | e2e | browser)
            # Timed by the clock on the wall: on a busy machine what failed gets a second try,
            # and it is told.
            echo "== $lane, once more what failed: it may have been disturbed"
            run "$lane" --last-failed --last-failed-no-failures none && continue
            ;;
    esac
    failed="$failed $lane"
done
[ -z "$failed" ] || { echo "FAILED:$failed" >&2; exit 1; }
echo "all lanes passed: $*"
