# Packages of Debian 12 that Fairlead needs: one list for each use. Sourced by deploy/quickstart and tests/run.

packages_build="build-essential cmake ninja-build pkg-config libevent-dev libssl-dev libzookeeper-st-dev libmsgpack-dev
  libjansson-dev libinih-dev libsmartcols-dev libcurl4-openssl-dev libseccomp-dev libcap-dev"
packages_zookeeper="zookeeper default-jre-headless"
packages_test="libcmocka-dev clang libclang-rt-dev llvm clang-format clang-tidy curl jq cpio busybox-static qemu-system-x86 iproute2 procps tmux"

# packages_install WORD…: installs what is missing; silent when nothing is.
packages_install() {
  local missing=() p
  for p in "$@"; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  echo "Installing ${#missing[@]} packages: ${missing[*]}"
  local log
  log=$(mktemp)
  if ! { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "Could not install: ${missing[*]}" >&2
    return 1
  fi
  rm -f "$log"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}
