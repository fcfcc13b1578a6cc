#!/usr/bin/env bash
# Every C file is as clang-format with our .clang-format lays it out.
cd "$(dirname "$0")/.." || exit 1
if git ls-files '*.c' '*.h' | xargs clang-format --dry-run --Werror 2>"${TMPDIR:-/tmp}/layout.$$"; then
  rm -f "${TMPDIR:-/tmp}/layout.$$"
  echo "all files are laid out alike"
  exit 0
fi
grep -E 'error:' "${TMPDIR:-/tmp}/layout.$$" | cut -d: -f1 | sort | uniq -c
rm -f "${TMPDIR:-/tmp}/layout.$$"
echo "Lay them out with: git ls-files '*.c' '*.h' | xargs clang-format -i"
exit 1
