# Sourced by the makers of slow things: each is made once, kept in $PENUMBRA_CACHE under a name that carries a hash of everything
# it is made from, and appears there in one step. Needs dev/lib/steps.bash.
# shellcheck shell=bash

cache=${PENUMBRA_CACHE:-/var/cache/penumbra}
lab_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=

# content_key FILE...: sixteen hex digits of what the files (and folders) hold and are called.
content_key() {
    (cd "$lab_folder" && find "$@" -type f ! -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum) | sha256sum | cut -c1-16
}

# made NAME-KEY: true when it is in the cache already; the link NAME then leads to it.
made() {
    [ -e "$cache/$1" ] || return
    ln -sfn "$1" "$cache/${1%-*}"
}

# begin_making NAME: takes the lock of this kind of thing and a scratch folder that goes away with the process.
begin_making() {
    mkdir -p "$cache"
    exec 8>"$cache/.$1.lock"
    flock 8
    rm -rf "$cache/scratch-$1".*
    scratch=$(mktemp -d "$cache/scratch-$1.XXXXXX")
    chmod 755 "$scratch"
    trap 'stop_child; rm -rf "$scratch"' EXIT
    trap 'exit 130' INT TERM HUP
}

# publish FOLDER NAME-KEY: the finished folder takes its name; older ones of the same kind that no lab uses go.
publish() {
    mv "$1" "$cache/$2"
    ln -sfn "$2" "$cache/${2%-*}"
    local old
    for old in "$cache/${2%-*}"-*/; do
        old=${old%/}
        [ "$old" = "$cache/$2" ] || grep -qsF "$old" /proc/[0-9]*/mountinfo || rm -rf "$old"
    done
}

# debian_root FOLDER PACKAGES-FILE [OPTION...]: a minimal Debian 12 with the packages of the file.
debian_root() {
    local into=$1 list=$2
    shift 2
    local packages
    packages=$(sed -e 's/#.*//' "$list" | xargs | tr ' ' ',')
    # Its mounts (proc, dev) stay in namespaces that end with it: a removal of an unfinished root can never reach through them.
    unshare --mount --pid --fork --kill-child --mount-proc mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --aptopt='Acquire::Retries "3"' \
        "$@" bookworm "$into" ${PENUMBRA_MIRROR:+"$PENUMBRA_MIRROR"}
}

# quiet_root FOLDER: timers and services that would wake up in the middle of a measurement never start.
quiet_root() {
    local unit
    for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
        logrotate.timer man-db.timer systemd-tmpfiles-clean.timer systemd-random-seed.service systemd-pstore.service; do
        ln -sfn /dev/null "$1/etc/systemd/system/$unit"
    done
    rm -f "$1/etc/machine-id" "$1/var/lib/dbus/machine-id"
    : >"$1/etc/machine-id"
}
