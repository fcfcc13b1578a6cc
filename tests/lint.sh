#!/usr/bin/env bash
# The rules that a machine can check: which layer may include which, who may include which library, banned calls.
set -u
cd "$(dirname "$0")/.."
bad=0

complain() {
  echo "$*"
  bad=1
}

# ---- layers: folder, then the folders whose headers it may include
while read -r folder allowed; do
  while IFS=: read -r file line text; do
    target=$(sed 's/.*"\([a-z-]*\)\/.*/\1/' <<<"$text")
    [[ " $folder $allowed " == *" $target "* ]] || complain "$file:$line: $folder must not include $target: $text"
  done < <(grep -rnE '^#include "[a-z-]+/' --include='*.c' --include='*.h' "$folder")
done <<'TABLE'
base
msg base
net msg base
drf msg base
master drf net msg base
slave net msg base
framework-sdk net msg base
cli framework-sdk net msg base
TABLE

# The ledger uses only resource arithmetic of msg.
grep -rnE '^#include "msg/' drf | grep -v '"msg/resources.h"' && complain "drf may include only msg/resources.h of msg"
# The parts below a seam are not reached around it.
grep -rnE '^#include "slave/container/' slave --include='*.c' --include='*.h' | grep -vE '^slave/(proc[a-z_]*\.c|container/)' &&
  complain "slave/container is reached through slave/proc.h only"

# ---- libraries: header pattern, then the files that may include it
while read -r header files; do
  while IFS=: read -r file line text; do
    [[ $file =~ ^($files)$ ]] || complain "$file:$line: only $files may include it: $text"
  done < <(grep -rnE "^#include <($header)" --include='*.c' --include='*.h' base msg net drf master slave framework-sdk cli)
done <<'TABLE'
event2/ base/loop\.c|net/(conn|http|lookup)[a-z_]*\.[ch]
zookeeper/ net/zk\.c
msgpack msg/codec\.c
jansson msg/json\.c
ini\.h base/conf\.c
curl/ cli/client\.c
libsmartcols/ cli/output\.c
seccomp slave/container/.*
sys/capability slave/container/.*
TABLE

# ---- banned calls
while IFS=: read -r file line text; do
  complain "$file:$line: banned call: $text"
done < <(grep -rnE '(^|[^a-z_.>])(strcpy|sprintf|vsprintf|strcat|gets|atoi|atol|rand|srand|sleep|usleep|system|popen|strtok) ?\(' \
  --include='*.c' base msg net drf master slave framework-sdk/*.c cli | grep -vE '^[^:]*:[0-9]+: *(\*|//|/\*)')
while IFS=: read -r file line text; do
  complain "$file:$line: getenv is for base/conf: $text"
done < <(grep -rnE '[^a-z_]getenv\(' --include='*.c' base msg net drf master slave | grep -vE '^base/(conf|log)\.c')
# Time goes through the loop wherever the simulator runs.
while IFS=: read -r file line text; do
  complain "$file:$line: time comes from base/loop: $text"
done < <(grep -rnE '(clock_gettime|gettimeofday|[^a-z_]time) ?\(' --include='*.c' base msg net drf master slave framework-sdk/*.c |
  grep -vE '^(base/(loop|log)\.c|slave/container/|slave/proc\.c|net/(conn|http|zk))' | grep -E '(clock_gettime|gettimeofday|[^a-z_]time) ?\((NULL|0|&|CLOCK)')
# No floating point where quantities are counted.
while IFS=: read -r file line text; do
  complain "$file:$line: no floating point here: $text"
done < <(grep -rnE '^[^/*"]*\b(double|float)\b' --include='*.c' --include='*.h' drf msg/resources* | grep -vE '^[^:]*:[0-9]+:\s*(\*|/\*)')
# A state is moved by sm_move only.
grep -rnE '(->|\.)sm\.state *= ' --include='*.c' master slave net framework-sdk cli && complain "a state is written outside sm_move"

# ---- one handler for each message: the compiler checks it; here, that nobody packs or writes JSON by hand
grep -rnE 'msgpack_pack|msgpack_unpack|json_object_set|json_pack' --include='*.c' base net drf master slave framework-sdk cli &&
  complain "packing outside msg"

[ $bad -eq 0 ] && echo "layers, libraries and calls are as they should be"
exit $bad
