# For e2e stories: real programs, real ZooKeeper, real containers, told with the CLI as an operator would type it.
# A story sources this, does its steps under `set -e`, and leaves nothing running.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/deploy/lib/cluster.sh"
bin=${FAIRLEAD_BIN:-$root/build/release/bin}
export PATH="$bin:$PATH"
unset FAIRLEAD_MASTER

if [ "$(id -u)" -ne 0 ]; then
  echo "needs root: containers cannot be made without it"
  exit 77
fi

work=$(mktemp -d /var/tmp/fairlead-e2e.XXXXXX)
chmod 755 "$work"
cluster_begin "$work" "$bin"
cluster_registry=127.0.0.1:1
finish() {
  local status=$?
  trap - EXIT
  for h in "$work"/local*; do [ -d "$h" ] && FAIRLEAD_HOME=$h "$bin/fairlead" local down >/dev/null 2>&1; done
  cluster_end >/dev/null 2>&1 || true
  if [ $status -ne 0 ] && [ $status -ne 77 ]; then
    for f in "$work"/*.log "$work"/local*/*.log; do
      [ -s "$f" ] && echo "---- $(basename "$f")" && tail -n 15 "$f"
    done
  fi
  rm -rf "$work"
  exit $status
}
trap finish EXIT

step() { echo "== $*"; }
die() {
  echo "FAILED: $*"
  exit 1
}

# expect CODE COMMAND…: runs it, keeps its output in $out and $err, fails the story on another exit code.
expect() {
  local want=$1 got=0
  shift
  "$@" >"$work/out.txt" 2>"$work/err.txt" </dev/null || got=$?
  out=$(cat "$work/out.txt") err=$(cat "$work/err.txt")
  [ "$got" -eq "$want" ] || die "exit code $got, not $want: $*
stdout: $out
stderr: $err"
}

# has TEXT PATTERN: the text matches the extended regular expression.
has() { grep -qE -- "$2" <<<"$1" || die "no match for /$2/ in: $1"; }
hasnt() { ! grep -qE -- "$2" <<<"$1" || die "an unwelcome match for /$2/ in: $1"; }
