#!/bin/sh
# Find the programs that the tests start; install them on Debian when root, else say what to do.
set -eu

# Program, then the Debian package that brings it.
wanted="mosquitto:mosquitto pg_ctl:postgresql chromium:chromium pulseaudio:pulseaudio
pactl:pulseaudio-utils espeak-ng:espeak-ng ffmpeg:ffmpeg"

found() {
    case $1 in
        # Debian keeps the server's programs out of the path, one folder for each version.
        pg_ctl) command -v pg_ctl || ls /usr/lib/postgresql/*/bin/pg_ctl ;;
        *) command -v "$1" || ls "/usr/sbin/$1" ;;
    esac >/dev/null 2>&1
}

missing() {
    for pair in $wanted; do
        found "${pair%%:*}" || printf '%s ' "${pair##*:}"
    done
}

lacking=$(missing)
[ -z "$lacking" ] && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "installing: $lacking"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -o DPkg::Lock::Timeout=300 -qq update
    # shellcheck disable=SC2086 # one word for each package
    apt-get -o DPkg::Lock::Timeout=300 -qq -y --no-install-recommends install $lacking
    lacking=$(missing)
    [ -z "$lacking" ] && exit 0
fi
echo "The tests need these programs. On Debian: sudo apt install $lacking" >&2
exit 1
