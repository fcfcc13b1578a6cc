# Building. Sourced by deploy/quickstart and tests/run.

# build_tree SOURCE FOLDER OPTION… -- TARGET…: configures when needed and builds; prints only on failure.
build_tree() {
  local source=$1 folder=$2 options=() log
  shift 2
  while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
  [ "${1:-}" = -- ] && shift
  mkdir -p "$folder"
  log="$folder/build.log"
  if ! { cmake -G Ninja -S "$source" -B "$folder" "${options[@]}" && cmake --build "$folder" ${1:+--target "$@"}; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "The build failed; the whole output is in $log" >&2
    return 1
  fi
}
