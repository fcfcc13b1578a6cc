# Three masters: the CLI and a running task ride over the death of the leader and of ZooKeeper; no daemon exits.
. "$(dirname "$0")/lib.sh"

zookeeper_start
for m in master1 master2 master3; do master_start "$m" --zk_session=1500ms; done
for m in master1 master2 master3; do await_daemon "$m"; done
slave_start slave1 --resources='cpus:4;mem:512' --zk_session=1500ms
await_daemon slave1
await 20 slaves_registered 1 || die "the slave does not register"
export FAIRLEAD_MASTER=$cluster_registry
leader=$(leader_name)

step "the leader's node is what Mesos detectors expect"
znode=$(curl -s "http://127.0.0.1:$(port_of "$leader")/version")
has "$znode" '"leading":true'
has "$znode" '"fairlead_port":'

step "a follower redirects to the leader"
for m in master1 master2 master3; do
  [ "$m" = "$leader" ] && continue
  headers=$(curl -s -i -o - -H 'Content-Type: application/json' -d '{"type":"GET_MASTER"}' "http://127.0.0.1:$(port_of "$m")/api/v1")
  has "$headers" '^HTTP/1.1 307'
  has "$headers" "^[Ll]ocation: //127.0.0.1:$(port_of "$leader")/api/v1"
done

step "a task, followed by run"
fairlead run --name rider -- sh -c 'while [ ! -e /sandbox/stop ]; do echo tick; sleep 0.1; done; exit 4' >"$work/rider.out" 2>&1 &
rider=$!
rider_running() { fairlead ps -o ndjson 2>/dev/null | grep -q '"name":"rider".*TASK_RUNNING'; }
await 15 rider_running || die "it does not run: $(cat "$work/rider.out")"
pid=$(fairlead task show rider | sed -n 's/^pid *//p')

step "the leader dies; the CLI finds the next one by itself"
process_signal "$leader" KILL
rm "$work/$leader.pid"
expect 0 fairlead --timeout 20s status
has "$out" '^leader'
new_leader=$(leader_name)
[ "$new_leader" != "$leader" ] || die "the dead one leads"
await 20 rider_running || die "the task is not known to the new leader"
expect 0 fairlead task show rider
has "$out" "pid +$pid"

step "ZooKeeper dies: everything runs on, no daemon exits"
process_signal zookeeper KILL
rm "$work/zookeeper.pid"
suspended() { ! leader_name >/dev/null; }
await 20 suspended || die "a master leads without ZooKeeper"
ticks=$(wc -l <"$work/rider.out")
more_ticks() { [ "$(find "$work/slave1/sandboxes" -path '*rider*' -name stdout -exec cat {} + | wc -l)" -gt $((ticks + 10)) ]; }
await 10 more_ticks || die "the task stopped"
expect 6 fairlead status --timeout 1s
for d in master1 master2 master3 slave1; do
  [ "$d" = "$leader" ] || process_alive "$d" || die "$d exited"
done

step "ZooKeeper comes back, with the same data"
zookeeper_start
await 20 leader_name >/dev/null || die "nobody leads again"
await 20 rider_running || die "the task is lost"
expect 0 fairlead run -- echo "scheduling again"
has "$out" 'scheduling again'

step "run has followed the task through all of it"
touch "$(dirname "$(find "$work/slave1/sandboxes" -path '*rider*' -name stdout)")/stop"
code=0
wait "$rider" || code=$?
[ "$code" -eq 4 ] || die "exit code $code: $(tail -n 3 "$work/rider.out")"
