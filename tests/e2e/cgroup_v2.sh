# The container tests on cgroup v2 and Linux 6.1, in a small guest that QEMU boots.
. "$(dirname "$0")/lib.sh"
tests=$(dirname "$bin")/tests/bin
"$root/tests/e2e/v2guest/run" "$tests/test_proc" "$tests/test_cgroup" "$tests/test_container_parts"
