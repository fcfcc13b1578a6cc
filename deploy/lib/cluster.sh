# Starting, watching and ending the processes of a cluster on this machine. Sourced by deploy/quickstart and the e2e tests.
#
# A cluster lives in a folder $cluster_home; each process has NAME.pid (pid and start time), NAME.log and, for daemons of
# ours, NAME.port. $cluster_bin is where the programs are. Processes are ended by pid only, and only while the start time
# still fits.

cluster_begin() { # HOME BIN
  cluster_home=$1 cluster_bin=$2
  mkdir -p "$cluster_home"
  chmod 755 "$cluster_home"
  # Names of this cluster's cgroups and run folders.
  cluster_id=$(printf '%s' "$cluster_home" | cksum | cut -d' ' -f1)
}

process_start_time() { # PID
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  set -- ${stat##*) }
  [ "$1" != Z ] && echo "${20}"
}

process_alive() { # NAME
  local pid start
  read -r pid start <"$cluster_home/$1.pid" 2>/dev/null || return 1
  [ "$(process_start_time "$pid")" = "$start" ]
}

process_pid() { cut -d' ' -f1 "$cluster_home/$1.pid"; }

process_start() { # NAME COMMAND…
  local name=$1 pid
  shift
  rm -f "$cluster_home/$name.port"
  setsid "$@" </dev/null >>"$cluster_home/$name.log" 2>&1 &
  pid=$!
  disown "$pid" 2>/dev/null || true
  echo "$pid $(process_start_time "$pid")" >"$cluster_home/$name.pid"
}

process_signal() { # NAME SIGNAL
  process_alive "$1" && kill -"$2" "$(process_pid "$1")"
}

# Waits until COMMAND… succeeds; fails after SECONDS.
await() { # SECONDS COMMAND…
  local deadline=$(($(date +%s%N) + $1 * 1000000000))
  shift
  until "$@"; do
    [ "$(date +%s%N)" -lt "$deadline" ] || return 1
    sleep 0.02
  done
}

process_gone() { ! process_alive "$1"; }

process_stop() { # NAME
  [ -e "$cluster_home/$1.pid" ] || return 0
  if process_signal "$1" TERM 2>/dev/null; then
    await 5 process_gone "$1" || { process_signal "$1" KILL || true; await 5 process_gone "$1" || true; }
  fi
  rm -f "$cluster_home/$1.pid"
}

port_of() { cat "$cluster_home/$1.port" 2>/dev/null; }
port_known() { [ -s "$cluster_home/$1.port" ] || { process_gone "$1" && return 0; return 1; }; }

# Waits for a daemon's port file; shows its log when it ended instead.
await_daemon() { # NAME
  await 15 port_known "$1"
  if [ ! -s "$cluster_home/$1.port" ]; then
    echo "$1 did not start:" >&2
    tail -n 10 "$cluster_home/$1.log" >&2
    return 1
  fi
}

tcp_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

zookeeper_ready() { tcp_open "$zookeeper_port" || process_gone zookeeper; }

# One ZooKeeper server on loopback. Keeps its port over restarts; otherwise picks a free one, trying again when somebody
# else was faster.
zookeeper_start() {
  local tries
  mkdir -p "$cluster_home/zookeeper-data"
  for tries in 1 2 3 4 5; do
    zookeeper_port=$(cat "$cluster_home/zookeeper.tcp" 2>/dev/null || echo $((20000 + RANDOM % 10000)))
    if [ ! -e "$cluster_home/zookeeper.tcp" ] && tcp_open "$zookeeper_port"; then continue; fi
    cat >"$cluster_home/zoo.cfg" <<CFG
tickTime=500
dataDir=$cluster_home/zookeeper-data
clientPortAddress=127.0.0.1
clientPort=$zookeeper_port
maxClientCnxns=0
admin.enableServer=false
CFG
    process_start zookeeper java -Xmx192m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData \
      -cp /usr/share/java/zookeeper.jar org.apache.zookeeper.server.ZooKeeperServerMain "$cluster_home/zoo.cfg"
    if await 20 zookeeper_ready && process_alive zookeeper; then
      echo "$zookeeper_port" >"$cluster_home/zookeeper.tcp"
      cluster_registry="zk://127.0.0.1:$zookeeper_port/fairlead"
      return 0
    fi
    process_stop zookeeper
  done
  echo "ZooKeeper did not start; see $cluster_home/zookeeper.log" >&2
  return 1
}

master_start() { # NAME OPTION…
  local name=$1
  shift
  process_start "$name" "$cluster_bin/fairlead-master" --registry="$cluster_registry" --cluster="$cluster_id" --port=0 \
    --fairlead_port=0 --hostname="$name" --port_file="$cluster_home/$name.port" "$@"
}

slave_start() { # NAME OPTION…
  local name=$1
  shift
  process_start "$name" "$cluster_bin/fairlead-slave" --master="$cluster_registry" --cluster="$cluster_id" --port=0 \
    --hostname="$name" --work_dir="$cluster_home/$name" --cgroup_root="/fairlead-$cluster_id-$name" \
    --port_file="$cluster_home/$name.port" "$@"
}

# Name of the master whose HTTP port leads, by asking each.
leader_name() {
  local f name
  for f in "$cluster_home"/master*.pid; do
    name=$(basename "$f" .pid)
    process_alive "$name" || continue
    if http_get "$(port_of "$name")" /version | grep -q '"leading":true'; then
      echo "$name"
      return 0
    fi
  done
  return 1
}

http_get() { # PORT PATH
  [ -n "$1" ] || return 1
  local line
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
  while IFS= read -r -t 2 line <&3 || [ -n "$line" ]; do printf '%s\n' "$line"; done
  exec 3>&-
}

cluster_cli() { FAIRLEAD_MASTER="$cluster_registry" "$cluster_bin/fairlead" "$@"; }

slaves_registered() { # N
  [ "$(cluster_cli --timeout 2s slave list -o ndjson 2>/dev/null | grep -c '"state":"REGISTERED"')" -ge "$1" ]
}

no_tasks() { [ -z "$(cluster_cli --timeout 2s task list -q 2>/dev/null)" ]; }

# Ends everything: frameworks first, so that containers end in good order; what is left in our cgroups is killed.
cluster_end() {
  local f name
  if leader_name >/dev/null 2>&1; then
    for f in $(cluster_cli --timeout 2s framework list -q 2>/dev/null); do
      cluster_cli --timeout 2s framework teardown "$f" >/dev/null 2>&1 || true
    done
    await 5 no_tasks || true
  fi
  for f in "$cluster_home"/*.pid; do
    [ -e "$f" ] || continue
    name=$(basename "$f" .pid)
    [ "$name" = zookeeper ] || process_stop "$name"
  done
  process_stop zookeeper
  cluster_kill_containers
}

cluster_cgroups() { find /sys/fs/cgroup -depth -type d -path "*/fairlead-$cluster_id-*" 2>/dev/null; }

cluster_kill_containers() {
  local d pid
  for d in $(cluster_cgroups); do
    while read -r pid; do kill -KILL "$pid" 2>/dev/null || true; done <"$d/cgroup.procs" 2>/dev/null || true
  done
  for d in $(cluster_cgroups); do await 2 rmdir "$d" 2>/dev/null || true; done
}
