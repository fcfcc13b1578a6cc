# The operator's day on a local cluster: run, ps, show, logs, kill; tables, JSON, errors and exit codes.
. "$(dirname "$0")/lib.sh"

export FAIRLEAD_HOME=$work/local1

step "without a cluster the tool says so, and how to get one"
expect 6 env FAIRLEAD_MASTER=127.0.0.1:1 fairlead status --timeout 300ms
has "$err" 'no leading master is reachable at 127.0.0.1:1'
has "$err" 'fairlead local up'

step "local up"
expect 0 fairlead local up --slaves 2 --cpus 4 --mem 512
has "$out" 'one master and 2 slaves'
expect 4 fairlead local up
has "$err" 'local down'

step "run: output, exit code, environment, user"
expect 0 fairlead run -- echo hi
[ "$out" = hi ] || die "output: $out"
expect 7 fairlead run -- sh -c 'echo to stderr >&2; exit 7'
has "$err" '^to stderr$'
expect 0 fairlead run --env GREETING=salut --env OTHER=1 -- sh -c 'echo $GREETING-$OTHER'
[ "$out" = salut-1 ] || die "output: $out"
expect 0 fairlead run --user nobody -- id -un
[ "$out" = nobody ] || die "output: $out"
expect 125 fairlead run -- /no/such/program
has "$err" 'No such file'
fairlead run -- sh -c 'head -c 20000000 /dev/zero | tr "\0" x' >"$work/many" || die "many bytes: exit code $?"
[ "$(wc -c <"$work/many")" -eq 20000000 ] || die "only $(wc -c <"$work/many") of 20000000 bytes arrived"
rm "$work/many"

step "run: a task over its memory is told with limit and use"
expect 137 fairlead run --mem 32 -- sh -c 'tail /dev/zero'
has "$err" '32'

step "run: too large for any slave"
expect 8 fairlead run --cpus 100 --place-within 1s -- true
has "$err" 'no slave offered enough'

step "run: Ctrl-C kills the task"
fairlead run --name sleeper -- sleep 1000 >"$work/sleeper.out" 2>&1 &
runner=$!
running() { fairlead ps -o ndjson 2>/dev/null | grep -q '"name":"sleeper".*TASK_RUNNING'; }
await 10 running || die "sleeper does not run"
kill -INT "$runner"
code=0
wait "$runner" || code=$?
[ "$code" -eq 130 ] || die "exit code $code after Ctrl-C: $(cat "$work/sleeper.out")"
gone() { ! fairlead ps -q | grep -q sleeper; }
await 10 gone || die "sleeper is still there"

step "a task in the background to look at"
fairlead run --name looked-at -- sh -c 'echo first; echo problem >&2; exec sleep 1000' >"$work/looked.out" 2>&1 &
runner=$!
running() { fairlead ps -o ndjson 2>/dev/null | grep -q '"name":"looked-at".*TASK_RUNNING'; }
await 10 running || die "it does not run: $(cat "$work/looked.out")"
expect 0 fairlead ps
has "$out" '^TASK +NAME +STATE'
has "$out" 'looked-at.* RUNNING'
hasnt "$out" $'\033'
expect 0 fairlead task list -q
id=$(grep looked-at <<<"$out")
expect 0 fairlead task list -o json
jq -e '.[0].task_id.value and .[0].state' "$work/out.txt" >/dev/null || die "JSON: $out"
expect 0 fairlead task list -o name
has "$out" "^$id\$"
expect 0 fairlead task show looked
has "$out" "^task +$id"
has "$out" 'history +.*STARTING'
has "$out" 'RUNNING'
has "$out" 'sandbox'
has "$out" 'cgroup'
expect 0 fairlead task show looked -o json
jq -e '.statuses | length >= 2' "$work/out.txt" >/dev/null || die "no history in JSON: $out"

step "logs"
expect 0 fairlead logs looked
[ "$out" = first ] || die "logs: $out"
expect 0 fairlead logs looked stderr
[ "$out" = problem ] || die "logs stderr: $out"
expect 0 fairlead logs --tail 3 looked
[ "$out" = st ] || die "logs --tail: $out"
fairlead logs -f looked >"$work/follow.out" &
follower=$!

step "the other lists and shows"
for list in "slave list" "framework list" "role list" "offer list" "framework list --all"; do
  expect 0 fairlead $list
  expect 0 fairlead $list -o json
  jq -e 'type == "array"' "$work/out.txt" >/dev/null || die "$list: $out"
  expect 0 fairlead $list -o ndjson
  expect 0 fairlead $list -q
done
expect 0 fairlead slave list
has "$out" 'slave1.*REGISTERED'
expect 0 fairlead slave list -q
slave=S0
expect 0 fairlead slave show "$slave"
has "$out" '^total +cpus:4'
expect 0 fairlead framework list -q
framework=$(head -n 1 <<<"$out")
expect 0 fairlead framework show "$framework"
has "$out" '^name +looked-at'
expect 0 fairlead role list
has "$out" '^\*'
expect 0 fairlead status
has "$out" '^leader'
has "$out" '2 registered'
has "$out" '1 running'
expect 0 fairlead cluster status -o json
jq -es 'length == 1 and (.[0].slaves.agents | length) == 2 and (.[0].tasks.tasks | length) == 1' "$work/out.txt" >/dev/null ||
  die "status JSON: $out"

step "kill, and -f ends with the task"
expect 0 fairlead task kill "$id"
[ "$out" = "$id" ] || die "kill prints $out"
code=0
wait "$runner" || code=$?
[ "$code" -ne 0 ] || die "run exits 0 although its task was killed"
wait "$follower" || die "logs -f did not end well"
has "$(cat "$work/follow.out")" first
expect 0 fairlead ps --all
has "$out" 'looked-at.* KILLED'

step "framework teardown"
fairlead run --name doomed -- sleep 1000 >"$work/doomed.out" 2>&1 &
runner=$!
running() { fairlead ps -o ndjson 2>/dev/null | grep -q '"name":"doomed".*TASK_RUNNING'; }
await 10 running || die "it does not run: $(cat "$work/doomed.out")"
expect 0 fairlead framework list -q
expect 0 fairlead framework teardown "$(head -n 1 <<<"$out")"
code=0
wait "$runner" || code=$?
[ "$code" -eq 125 ] || die "exit code $code after teardown: $(cat "$work/doomed.out")"

step "errors name the cause and the next command"
expect 3 fairlead task show nothing-of-that-name
has "$err" "there is no task 'nothing-of-that-name': 'fairlead task list --all' shows them"
expect 3 fairlead slave show nope
expect 3 fairlead framework teardown nope
expect 2 fairlead tsk list
has "$err" "did you mean 'task'"
expect 2 fairlead task
has "$err" 'list show kill'
expect 2 fairlead task list --nonsense
has "$err" "unknown option '--nonsense'"
expect 2 fairlead slave list -o yaml
expect 2 fairlead run --cpus many -- true
has "$err" '--cpus'
expect 2 fairlead run
expect 2 fairlead status --master 'zk://nowhere'
has "$err" 'zk://'
expect 0 fairlead help
has "$out" 'Exit codes'
expect 0 fairlead help run
has "$out" '--cpus'
expect 0 fairlead run --help
expect 0 fairlead version
has "$out" '^fairlead 0.1.0'

step "a second cluster side by side"
# As sudo starts it: no core dumps, and none to be allowed.
expect 0 bash -c 'ulimit -c 0; FAIRLEAD_HOME=$1 exec fairlead local up' - "$work/local2"
expect 0 env FAIRLEAD_HOME="$work/local2" fairlead run -- echo second
[ "$out" = second ] || die "output: $out"
expect 0 env FAIRLEAD_HOME="$work/local2" fairlead local down --clean
[ ! -e "$work/local2" ] || die "data are left: $(ls "$work/local2")"
expect 0 fairlead run -- echo first
[ "$out" = first ] || die "output: $out"

step "local down ends what a killed slave left running"
fairlead run --name orphan -- sleep 1000 >"$work/orphan.out" 2>&1 &
runner=$!
running() { fairlead ps -o ndjson 2>/dev/null | grep -q '"name":"orphan".*TASK_RUNNING'; }
await 10 running || die "it does not run: $(cat "$work/orphan.out")"
orphan=$(fairlead task show orphan | sed -n 's/^pid *//p')
for s in slave1 slave2 master; do kill -9 "$(cut -d' ' -f1 "$FAIRLEAD_HOME/$s.pid")"; done
[ -d "/proc/$orphan" ] || die "the container died with its slave"
expect 0 fairlead local down
has "$out" 'is down'
dead() { ! process_start_time "$orphan" >/dev/null; } # or a zombie that its new parent has yet to reap
await 5 dead || die "process $orphan is still there: $(cat "/proc/$orphan/stat")"
kill -9 "$runner"
wait "$runner" 2>/dev/null || true
expect 0 fairlead local up --slaves 1 --cpus 2 --mem 256

step "local down"
expect 0 fairlead local down
has "$out" 'is down'
expect 0 fairlead local down
has "$out" 'No cluster was up'
