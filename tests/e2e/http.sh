# The HTTP side of both daemons: health, metrics, version, the operator calls in v1 JSON, and who may be reached from where.
. "$(dirname "$0")/lib.sh"

export FAIRLEAD_HOME=$work/local1
expect 0 fairlead local up --cpus 2 --mem 256
master=$(sed -n 's/^master = //p' "$FAIRLEAD_HOME/cli.conf")
slave=127.0.0.1:$(cat "$FAIRLEAD_HOME/slave1.port")
fairlead run --name looked-at -- sleep 1000 >"$work/task.out" 2>&1 &
running() { fairlead ps -o ndjson 2>/dev/null | grep -q '"name":"looked-at".*TASK_RUNNING'; }
await 15 running || die "the task does not run: $(cat "$work/task.out")"

get() { curl -sS -f "http://$1$2"; }
api() { # HOST:PORT TYPE [REST OF THE CALL]
  curl -sS -f -H 'Content-Type: application/json' -d "{\"type\":\"$2\"${3:+,$3}}" "http://$1/api/v1"
}

step "health, version, help"
for d in "$master" "$slave"; do
  get "$d" /health >/dev/null || die "$d is not healthy"
  get "$d" /version | jq -e '.version == "0.1.0"' >/dev/null || die "$d: $(get "$d" /version)"
  has "$(get "$d" /help)" '/metrics'
done
get "$master" /version | jq -e '.leading and .leader.fairlead_port > 0 and .epoch.term >= 1' >/dev/null ||
  die "$(get "$master" /version)"

step "metrics are Prometheus text by its conventions"
for d in "$master" "$slave"; do
  get "$d" /metrics >"$work/metrics"
  awk '
    /^# (HELP|TYPE) [a-z_]+ / { if ($2 == "TYPE") type[$3] = $4; next }
    /^[a-z_]+(\{[^}]*\})? -?[0-9.e+]+$/ {
      name = $1; sub(/\{.*/, "", name)
      if (!(name in type)) { print "no TYPE: " $0; bad = 1 }
      if (type[name] == "counter" && name !~ /_total$/) { print "a counter without _total: " $0; bad = 1 }
      if (name !~ /^(fairlead|process)_/) { print "no prefix: " $0; bad = 1 }
      n++; next
    }
    { print "not understood: " $0; bad = 1 }
    END { exit bad || n < 5 }' "$work/metrics" || die "$d"
done
has "$(get "$master" /metrics)" '^fairlead_master_is_leader 1$'
has "$(get "$master" /metrics)" '^fairlead_tasks\{state="running"\} 1$'

step "the operator calls in v1 JSON"
api "$master" GET_MASTER | jq -e '.get_master.master_info.id' >/dev/null || die GET_MASTER
api "$master" GET_AGENTS | jq -e '.get_agents.agents[0] | .agent_info.id.value and .active and
  (.total_resources[] | select(.name == "cpus") | .scalar.value == 2)' >/dev/null || die "$(api "$master" GET_AGENTS)"
api "$master" GET_FRAMEWORKS | jq -e '.get_frameworks.frameworks[0] | .framework_info.name == "looked-at" and .connected' >/dev/null ||
  die "$(api "$master" GET_FRAMEWORKS)"
api "$master" GET_ROLES | jq -e '.get_roles.roles[] | select(.name == "*") | .weight == 1' >/dev/null || die "$(api "$master" GET_ROLES)"
api "$master" GET_OFFERS | jq -e '.type == "GET_OFFERS"' >/dev/null || die GET_OFFERS
api "$master" GET_TASKS >"$work/tasks"
jq -e '.get_tasks.tasks[0] | .task_id.value and .state == "TASK_RUNNING" and (.statuses | length >= 1)' "$work/tasks" >/dev/null ||
  die "$(cat "$work/tasks")"
[ "$(LC_ALL=C grep -c '[^ -~]' "$work/tasks")" -eq 0 ] || die "JSON is not plain ASCII on one line"
api "$slave" GET_TASKS | jq -e '.get_tasks.tasks[0].state == "TASK_RUNNING"' >/dev/null || die "$(api "$slave" GET_TASKS)"

step "files of the sandbox"
sandbox=$(jq -r '[.get_tasks.tasks[0].statuses[].container_status.sandbox // empty] | last' "$work/tasks")
api "$slave" LIST_FILES "\"list_files\":{\"path\":\"$sandbox\"}" | jq -e '[.list_files.file_infos[].path | endswith("stdout")] | any' >/dev/null ||
  die "$(api "$slave" LIST_FILES "\"list_files\":{\"path\":\"$sandbox\"}")"
api "$slave" READ_FILE "\"read_file\":{\"path\":\"$sandbox/stdout\",\"offset\":0}" | jq -e '.read_file.size == 0' >/dev/null || die READ_FILE

step "KILL_TASK and TEARDOWN"
ids=$(jq -c '.get_tasks.tasks[0] | {framework_id, task_id}' "$work/tasks")
api "$master" KILL_TASK "\"kill_task\":$ids" >/dev/null || die KILL_TASK
none() { [ "$(api "$slave" GET_TASKS | jq '.get_tasks.tasks | length // 0')" -eq 0 ]; }
await 10 none || die "the task is still there"

step "everything listens on loopback, and a daemon told otherwise says what that means"
for d in master slave1; do
  pid=$(cut -d' ' -f1 "$FAIRLEAD_HOME/$d.pid")
  ss -Hltnp | grep "pid=$pid," | awk '{print $4}' | grep -v '^127\.0\.0\.1:' && die "$d listens beyond loopback"
done
expect 1 timeout 10 fairlead-master --registry="file://$work/registry" --ip=0.0.0.0 --port=0 --fairlead_port=0
has "$err" 'WHOEVER REACHES'
has "$err" '--ip is also told to others'
expect 1 timeout 10 fairlead-slave --master="$master" --cluster=local --work_dir="$work/open" --ip=0.0.0.0 --port=0 --cgroup_root="/fairlead-$cluster_id-open"
has "$err" 'WHOEVER REACHES'
