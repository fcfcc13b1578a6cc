#!/usr/bin/env bash
# Every C file is as clang-format with our .clang-format lays it out.
cd "$(dirname "$0")/.." || exit 1
sources() { find base msg net drf master slave framework-sdk cli tests -name '*.[ch]'; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT

[ "$(sources | wc -l)" -gt 100 ] || exit 1
if sources | xargs clang-format --dry-run --Werror 2>"$log"; then
  echo "all files are laid out alike"
  exit 0
fi
grep -E 'error:' "$log" | cut -d: -f1 | sort | uniq -c
echo "Lay them out with: find base msg net drf master slave framework-sdk cli tests -name '*.[ch]' | xargs clang-format -i"
exit 1
