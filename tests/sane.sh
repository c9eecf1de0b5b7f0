#!/bin/sh
# tests/sane.sh PROFILE FOLDER COMMAND [ARGUMENT...]
#
# Runs a suite that starts programs of ours, so that what a sanitizer or valgrind says about any of
# them fails the run: reports go to files below FOLDER/reports, are shown at the end, and count as
# failed tests. PROFILE is that of the build (asan, tsan: sanitizers; valgrind: TASKER_WRAPPER, see
# tests/lib/daemon.h); with any other the command runs as it is.
#
# TIME_SCALE is by how much waits of the tests are longer; Check's own time limits follow it.
set -u
profile=$1 folder=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)

case $profile in
asan) scale=4 ;;
tsan) scale=6 ;;
valgrind) scale=15 ;;
*) exec "$@" ;;
esac

mkdir -p "$folder" && reports=$(mktemp -d "$folder/reports.XXXXXX") && reports=$(realpath "$reports") || exit 1
common="exitcode=99:log_path=$reports/report:log_exe_name=1"
TIME_SCALE=${TIME_SCALE:-$scale}
CK_TIMEOUT_MULTIPLIER=$TIME_SCALE
TASKER_REPORTS=$reports
ASAN_OPTIONS="$common:detect_leaks=1:detect_stack_use_after_return=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
UBSAN_OPTIONS="$common:print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
TSAN_OPTIONS="$common:suppressions=$here/tsan.supp:second_deadlock_stack=1${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
export TIME_SCALE CK_TIMEOUT_MULTIPLIER TASKER_REPORTS ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
if [ "$profile" = valgrind ]; then
  TASKER_WRAPPER="valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect,possible \
--errors-for-leak-kinds=definite,indirect,possible --num-callers=30 --trace-children=no --child-silent-after-fork=yes \
--suppressions=$here/valgrind.supp --log-file=$reports/report.valgrind.%p"
  # The worker follows its handlers by pidfd_open(2), which Debian 12's valgrind does not know.
  TASKER_UNWRAPPED=tasker-worker
  export TASKER_WRAPPER TASKER_UNWRAPPED
fi

"$@"
status=$?
count=0
# What valgrind says about itself is no report.
[ "$profile" != valgrind ] || sed -i '/^--[0-9]*-- /d' "$reports"/* 2>/dev/null
for report in "$reports"/*; do
  [ -s "$report" ] || continue
  count=$((count + 1))
  echo "---- $(basename "$report")"
  head -n 200 "$report"
done
if [ "$count" -gt 0 ]; then
  echo "$count reports of $profile (kept in $reports)"
  echo "0 passed, $count failed"
  exit 1
fi
rm -rf "$reports"
exit "$status"
