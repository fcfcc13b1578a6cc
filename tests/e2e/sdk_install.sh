# A user's program, built outside the tree against an installed copy: find_package, pkg-config, shared, static, C and C++.
. "$(dirname "$0")/lib.sh"

prefix=$work/prefix
include=$prefix/include

step "install"
cmake --install "$(dirname "$bin")" --component sdk --prefix "$prefix" >"$work/install.log" || die "$(cat "$work/install.log")"
lib=$(dirname "$(find "$prefix" -name libfairlead.so | head -n 1)")
export PKG_CONFIG_PATH=$lib/pkgconfig

step "only fl_ names are visible, the SONAME is right"
visible=$(nm -D --defined-only "$lib/libfairlead.so" | awk '$2 ~ /^[A-TV-Z]$/ {print $3}' | sed 's/@.*//' | grep -v '^FAIRLEAD_' | grep -v '^fl_' || true)
[ -z "$visible" ] || die "the shared library also shows: $visible"
visible=$(nm --defined-only -g "$lib/libfairlead.a" | awk 'NF == 3 {print $3}' | grep -v '^fl_' || true)
[ -z "$visible" ] || die "the static library also shows: $visible"
readelf -d "$lib/libfairlead.so" | grep -q 'SONAME.*libfairlead.so.0\]' || die "wrong SONAME"

step "every header stands alone, in C11, C17 and C++17"
for header in "$include"/fairlead/*.h; do
  for standard in c11 c17; do
    echo "#include <fairlead/$(basename "$header")>" |
      gcc -std=$standard -Wall -Wextra -Wpedantic -Werror -I"$include" -x c -fsyntax-only - || die "$header in $standard"
  done
  echo "#include <fairlead/$(basename "$header")>" |
    g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -I"$include" -x c++ -fsyntax-only - || die "$header in C++17"
done

step "hello has at most 60 lines"
[ "$(wc -l <"$root/framework-sdk/examples/hello.c")" -le 60 ] || die "it has more"

step "find_package, shared and static"
mkdir "$work/user"
cp "$root/framework-sdk/examples/hello.c" "$work/user/"
cat >"$work/user/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(user C)
find_package(Fairlead 0.1 REQUIRED)
add_executable(hello-shared hello.c)
target_link_libraries(hello-shared Fairlead::fairlead)
add_executable(hello-static hello.c)
target_link_libraries(hello-static Fairlead::fairlead_static)
CMAKE
cmake -S "$work/user" -B "$work/user/build" -DCMAKE_PREFIX_PATH="$prefix" >"$work/cmake.log" 2>&1 &&
  cmake --build "$work/user/build" >>"$work/cmake.log" 2>&1 || die "$(tail -n 20 "$work/cmake.log")"

step "pkg-config, shared and static"
gcc -o "$work/hello-pc" "$work/user/hello.c" $(pkg-config --cflags --libs fairlead) || die "pkg-config"
gcc -o "$work/hello-pc-static" "$work/user/hello.c" $(pkg-config --cflags fairlead) "$lib/libfairlead.a" \
  $(pkg-config --libs --static fairlead | sed 's/-lfairlead //') || die "pkg-config --static"

step "all four run on a cluster"
export FAIRLEAD_HOME=$work/local1
expect 0 fairlead local up --cpus 1 --mem 256
FAIRLEAD_MASTER=$(sed -n 's/^master = //p' "$FAIRLEAD_HOME/cli.conf")
export FAIRLEAD_MASTER LD_LIBRARY_PATH=$lib
for program in "$work/user/build/hello-shared" "$work/user/build/hello-static" "$work/hello-pc" "$work/hello-pc-static"; do
  expect 0 timeout 20 "$program"
  has "$out" 'hello-1 is TASK_FINISHED'
done

step "noop declines, and says what is wrong when nobody is there"
timeout -s INT 2 "$bin/noop" >"$work/noop.out" || true
grep -q '^declined ' "$work/noop.out" || die "noop declined nothing"
