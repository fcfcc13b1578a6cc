# Bad input gets one clear error that names what to do, and nothing is lost.
. "$(dirname "$0")/lib.sh"

refused() { # PATTERN COMMAND…: a daemon that must not start
  local pattern=$1 got=0
  shift
  timeout 10 "$@" >"$work/out.txt" 2>&1 </dev/null || got=$?
  [ "$got" -ne 0 ] && [ "$got" -ne 124 ] || die "it started: $*"
  has "$(cat "$work/out.txt")" "$pattern"
}

step "options"
refused "did you mean" fairlead-master --registy=file:///tmp/x
refused "zk://" fairlead-master --registry=zk:/host/path
refused "zk://" fairlead-master --registry=zk://host:notaport/path
refused "registry" fairlead-master
refused "master" fairlead-slave --work_dir="$work/s0"
refused "port" fairlead-master --registry="file://$work/r0" --port=99999
refused "resources|cpus" fairlead-slave --master=127.0.0.1:1 --work_dir="$work/s1" --resources='cpus:-1'
refused "resources|cpus" fairlead-slave --master=127.0.0.1:1 --work_dir="$work/s2" --resources='cpus:lots'
refused "ports|begin|range" fairlead-slave --master=127.0.0.1:1 --work_dir="$work/s3" --resources='cpus:1;ports:[5-2]'
echo "nonsense = 1" >"$work/bad.conf"
refused "nonsense" fairlead-master --config="$work/bad.conf" --registry="file://$work/r0"

step "a cluster of one master and one slave"
export FAIRLEAD_HOME=$work/local1
expect 0 fairlead local up --cpus 2 --mem 256
master=$(sed -n 's/^master = //p' "$FAIRLEAD_HOME/cli.conf")
port=${master#*:}
framed=$(curl -s "http://$master/version" | jq -r '.leader.fairlead_port')
[ "$framed" -gt 0 ] || die "no framed port in /version"
fairlead run --name survivor -- sleep 1000 >"$work/survivor.out" 2>&1 &
running() { fairlead ps -o ndjson 2>/dev/null | grep -q '"name":"survivor".*TASK_RUNNING'; }
await 10 running || die "survivor does not run: $(cat "$work/survivor.out")"

send() { # PORT: standard input to it, until it closes
  timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$1; cat >&3; cat <&3" 2>/dev/null | head -c 2000 || true
}

step "garbage, HTTP and a frame of 4 GiB on the framed port"
head -c 100000 /dev/urandom | send "$framed" >/dev/null
printf 'GET / HTTP/1.1\r\n\r\n' | send "$framed" >/dev/null
printf '\xff\xff\xff\xff' | send "$framed" >/dev/null
printf '\x00\x00\x00\x05\xdd\xff\x00\x00\x00' | send "$framed" >/dev/null
has "$(cat "$FAIRLEAD_HOME/master.log")" '4294967295'

step "junk on the HTTP port"
head -c 100000 /dev/urandom | send "$port" >/dev/null
post() { curl -s -o "$work/body" -w '%{http_code}' -H 'Content-Type: application/json' -d "$1" "http://$master/api/v1"; }
[ "$(post 'no json')" = 400 ] || die "no json: $(cat "$work/body")"
[ "$(post '{}')" = 400 ] || die "{}: $(cat "$work/body")"
has "$(cat "$work/body")" 'type'
[ "$(post '{"type":"GET_NOTHING"}')" = 400 ] || die "unknown type: $(cat "$work/body")"
[ "$(post '{"type":"TEARDOWN"}')" = 400 ] || die "teardown without body: $(cat "$work/body")"
[ "$(post '{"type":"TEARDOWN","teardown":{"framework_id":{"value":"nope"}}}')" = 404 ] || die "$(cat "$work/body")"
[ "$(post '{"type":"KILL_TASK","kill_task":{"framework_id":{"value":"a"},"task_id":{"value":"b"}}}')" = 404 ] || die "$(cat "$work/body")"
[ "$(curl -s -o /dev/null -w '%{http_code}' -d '{}' "http://$master/api/v1")" = 415 ] || die "form data is taken for JSON"
[ "$(curl -s -o /dev/null -w '%{http_code}' "http://$master/nothing")" = 404 ] || die "unknown path"
[ "$(curl -s -o /dev/null -w '%{http_code}' -X POST -d x "http://$master/health")" = 405 ] || die "POST /health"
head -c 6000000 /dev/zero | tr '\0' ' ' >"$work/big"
code=$(curl -s -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -H 'Expect:' --data-binary "@$work/big" "http://$master/api/v1" || true)
[ "$code" = 413 ] || [ "$code" = 000 ] || [ "$code" = 400 ] || die "a body of 6 MB: $code"

step "reads outside a sandbox"
slave_port=$(cat "$FAIRLEAD_HOME/slave1.port")
slave_post() { curl -s -o "$work/body" -w '%{http_code}' -H 'Content-Type: application/json' -d "$1" "http://127.0.0.1:$slave_port/api/v1"; }
for path in /etc/shadow ../../../../etc/shadow /sandboxes/../journal; do
  code=$(slave_post "{\"type\":\"READ_FILE\",\"read_file\":{\"path\":\"$path\",\"offset\":0}}")
  [ "$code" = 404 ] || [ "$code" = 400 ] || [ "$code" = 403 ] || die "$path is readable: $code"
done

step "a slave of another cluster"
"$bin/fairlead-slave" --master="$master" --cluster=other --port=0 --work_dir="$work/other" --cgroup_root="/fairlead-$cluster_id-other" \
  --resources='cpus:1;mem:64' >"$work/other-slave.log" 2>&1 &
other=$!
told() { grep -q 'luster' "$work/other-slave.log"; }
await 10 told || die "it says nothing: $(cat "$work/other-slave.log")"
kill "$other"
wait "$other" || true
expect 0 fairlead slave list -q
[ "$(wc -l <<<"$out")" -eq 1 ] || die "the other cluster's slave was admitted"

step "a second slave on the same work folder"
refused "lock|in use" fairlead-slave --master="$master" --cluster=local --port=0 --work_dir="$FAIRLEAD_HOME/slave1" --cgroup_root="/fairlead-$cluster_id-x"

step "a second master on the same registry folder"
refused "lock|in use|another master" fairlead-master --registry="file://$FAIRLEAD_HOME/registry" --port=0 --fairlead_port=0

step "nothing was lost"
expect 0 fairlead ps
has "$out" 'survivor.* RUNNING'
