# Sourced by the executables of dev/: progress lines with elapsed time, and the one question whether this machine will do.
# shellcheck shell=bash

steps_name=$(basename "$0")
steps_begun=$SECONDS

# step TEXT...: one progress line, with the seconds since the executable began.
step() { printf '%s +%4d s  %s\n' "$steps_name" $((SECONDS - steps_begun)) "$*"; }

# die TEXT...: one sentence on stderr, and the end.
die() {
    printf '%s: %s\n' "$steps_name" "$*" >&2
    exit 1
}

# help_text FILE: the comment block that begins at the second line of an executable is its --help.
help_text() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$1"; }

# require_machine: ends with one sentence that names everything that is missing.
require_machine() {
    local missing=()
    [ "$EUID" -eq 0 ] || missing+=("root (this is user $(id -un))")
    local system=unknown
    # shellcheck disable=SC1091
    [ -r /etc/os-release ] && system=$(. /etc/os-release && echo "${ID:-unknown} ${VERSION_ID:-without a version}")
    [ "$system" = "debian 12" ] || missing+=("Debian 12 (this is $system)")
    local machine
    machine=$(uname -m)
    [ "$machine" = x86_64 ] || missing+=("an amd64 processor (this is $machine)")
    [ ${#missing[@]} -eq 0 ] && return
    local all
    all=$(printf '%s, ' "${missing[@]}")
    die "this needs ${all%, }."
}

# run_child COMMAND...: waits for the command so that a signal is heard at once and not when the command has ended. Whoever uses
# it calls stop_child first when it ends.
child=
run_child() {
    local code=0
    set -m # a process group of its own, which can be ended whole
    "$@" &
    child=$!
    set +m
    wait "$child" || code=$?
    child=
    return "$code"
}
stop_child() {
    [ -n "$child" ] || return 0
    kill -TERM -- "-$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
    child=
}

# run_logged LOG COMMAND...: silent while it works; its last lines and the log's name when it does not.
run_logged() {
    local log=$1
    shift
    run_child "$@" >"$log" 2>&1 </dev/null && return
    tail -n 20 "$log" >&2
    die "this failed: $* (the whole output is in $log)."
}
