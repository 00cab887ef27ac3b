# Sourced by the demo's steps; dev/demo says in DEMO_LAB and DEMO_OUT where they run and where results go.
# shellcheck shell=bash
# Requests a second: they leave room for two half-size arms on two cores without KVM.
# shellcheck disable=SC2034  # for the steps
RATE=10
demo=$(dirname "${BASH_SOURCE[0]}")
lab=$(cd "$demo/.." && pwd)

# on HOST COMMAND...; penumbra VERB...: on the coordinator's host, as an operator would.
on() { "$DEMO_LAB" run "$@"; }
penumbra() { on ctl penumbra "$@"; }
# put HOST FILE PATH [NAME]: a file of demo/files onto a host, under another name of its own.
put() {
    sed "${4:+0,/^name = .*/s//name = \"$4\"/}" "$demo/files/$2" |
        on "$1" sh -c "mkdir -p \"\$(dirname '$3')\" && cat >'$3'"
}
# trial|rollout FILE CODE [NAME]: runs it and compares its exit code, of which docs/operations/cli.md has a list.
trial() { judged "trial run" trial "$@"; }
rollout() { judged "rollout apply" rollout "$@"; }
judged() {
    local verb=$1 noun=$2 file=$3 expected=$4 name=${5:-$3} code=0
    put ctl "$file.toml" "/root/$name.toml" "$name"
    # shellcheck disable=SC2086  # the verb is two words
    penumbra $verb "/root/$name.toml" || code=$?
    [ "$code" -eq "$expected" ] ||
        fail "$noun $name ended with code $code, and $expected was expected; penumbra $noun show $name says why"
}
# value EXPRESSION: of the JSON on standard input, as `j`.
value() { /usr/bin/python3 -c "import json,sys; j=json.load(sys.stdin); print($1)"; }
# until SECONDS WHAT COMMAND...: waits for a command to succeed.
until_done() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || { echo "gave up waiting until $what"; exit 1; }
        sleep 1
    done
}
# Whatever of ours may stand on hv1. A bitmap is in QEMU's memory while the VM runs.
traces() {
    on hv1 bash -euo pipefail -s <<'HOST'
virsh list --all --name
ovs-vsctl list-br
ovs-vsctl --bare --columns=name list mirror
virsh checkpoint-list shop --name
virsh domjobinfo shop | sed -n 1p
virsh qemu-monitor-command shop '{"execute":"query-block"}' | { grep -o '"penumbra[^"]*"' || :; }
ip -br link | sed 's/@.*//; s/ .*//'
systemctl list-timers --all --plain --no-legend 'penumbra-*'
systemctl list-units --all --plain --no-legend 'penumbra-capture@*' 'penumbra-sandbox@*' 'penumbra-revert*'
for folder in /run/penumbra/{netns,backup,capture,sandbox} /var/lib/penumbra-agent/{replicas,arms,shadows,scratch}; do
    [ ! -d "$folder" ] || find "$folder" -mindepth 1
done
find /var/lib/libvirt/qemu -mindepth 1 -maxdepth 1 ! -name 'domain-*'
HOST
}
fail() { echo "$*"; exit 1; }
