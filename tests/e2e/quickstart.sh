# The README's first command, as a newcomer types it, twice, and its --keep, --stop and --clean.
. "$(dirname "$0")/lib.sh"

export FAIRLEAD_QUICKSTART_HOME=$work/quickstart
export FAIRLEAD_BUILD=${FAIRLEAD_BUILD:-$(dirname "$bin")}

step "it ends well, in about twenty lines, in under 15 s"
begun=$(date +%s%N)
expect 0 "$root/deploy/quickstart" --keep
took=$((($(date +%s%N) - begun) / 1000000))
echo "$out"
has "$out" '^quickstart: ok$'
has "$out" 'Finished +40 of 40 tasks; none lost'
has "$out" 'Killed +master[123] \(SIGKILL\)'
[ "$(wc -l <<<"$out")" -le 30 ] || die "it prints $(wc -l <<<"$out") lines"
echo "took $took ms"

step "--keep leaves it up, and it works"
expect 0 env FAIRLEAD_MASTER="$(sed -n 's/.*FAIRLEAD_MASTER=\([^ ]*\).*/\1/p' <<<"$out")" fairlead run -- echo "still here"
has "$out" '^still here$'

step "--stop ends it and leaves nothing running"
expect 0 "$root/deploy/quickstart" --stop
for f in "$FAIRLEAD_QUICKSTART_HOME"/*.pid; do [ ! -e "$f" ] || die "left behind: $f"; done
id=$(printf '%s' "$FAIRLEAD_QUICKSTART_HOME" | cksum | cut -d' ' -f1)
[ -z "$(find /sys/fs/cgroup -type d -path "*fairlead-$id-*/*" 2>/dev/null)" ] || die "cgroups are left"

step "again, and --clean removes its data"
expect 0 "$root/deploy/quickstart"
has "$out" '^quickstart: ok$'
expect 0 "$root/deploy/quickstart" --clean
[ ! -e "$FAIRLEAD_QUICKSTART_HOME" ] || die "data are left"

step "unknown options are refused"
expect 2 "$root/deploy/quickstart" --nonsense
