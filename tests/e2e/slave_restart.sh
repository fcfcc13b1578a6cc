# kill -9 the slave: its containers run on, and it finds them again.
. "$(dirname "$0")/lib.sh"

zookeeper_start
master_start master1 --zk_session=2s
await_daemon master1
slave_start slave1 --resources='cpus:4;mem:512'
await_daemon slave1
await 15 slaves_registered 1 || die "the slave does not register"

step "two tasks: one stays, one will end while the slave is away"
export FAIRLEAD_MASTER=$cluster_registry
fairlead run --name stays -- sh -c 'echo begun; exec sleep 1000' >"$work/stays.out" 2>&1 &
fairlead run --name ends -- sh -c 'while [ ! -e /sandbox/stop ]; do sleep 0.05; done; exit 5' >"$work/ends.out" 2>&1 &
ends=$!
two_running() { [ "$(fairlead ps -o ndjson | grep -c '"state":"TASK_RUNNING"')" -eq 2 ]; }
await 15 two_running || die "they do not run: $(cat "$work"/*.out)"
pid=$(fairlead task show stays | sed -n 's/^pid *//p')
ends_pid=$(fairlead task show ends | sed -n 's/^pid *//p')
[ -d "/proc/$pid" ] && [ -d "/proc/$ends_pid" ] || die "no process $pid or $ends_pid"

step "kill -9"
process_signal slave1 KILL
rm "$work/slave1.pid"
touch "$(dirname "$(find "$work/slave1/sandboxes" -path '*ends*' -name stdout)")/stop"
ended() { [ ! -d "/proc/$ends_pid" ]; }
await 10 ended || die "the other task does not end"
[ -d "/proc/$pid" ] || die "the container died with the slave"

step "start it again"
slave_start slave1 --resources='cpus:4;mem:512'
await_daemon slave1
await 15 slaves_registered 1 || die "the slave does not come back"
code=0
wait "$ends" || code=$?
[ "$code" -eq 5 ] || die "the task that ended meanwhile: exit code $code, $(cat "$work/ends.out")"
expect 0 fairlead task show stays
has "$out" 'state +TASK_RUNNING'
has "$out" "pid +$pid"
[ -d "/proc/$pid" ] || die "the container is gone"

step "it can still be killed"
expect 0 fairlead task kill stays
dead() { [ ! -d "/proc/$pid" ]; }
await 10 dead || die "process $pid is still there"
