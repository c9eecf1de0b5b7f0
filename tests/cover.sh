#!/bin/sh
# Share of lines and branches that ran, for each folder of the product: cover.sh <build folder>.
set -eu
cd "$1"
for gcda in $(find shared orchestration worker ctl -name '*.gcda' 2>/dev/null | sort); do
  (cd ../.. && gcov -n -b -o "$1/${gcda%/*}" "$1/${gcda%.gcda}.o" 2>/dev/null) |
    awk -v folder="${gcda%/*}" '
      /^File / { ours = index($0, folder "/") > 0 && $0 !~ /\.h/ }
      ours && /^Lines executed:/ { split($2, a, /[:%]/); print folder, "lines", a[2] * $4 / 100, $4 }
      ours && /^Taken at least once:/ { split($4, a, /[:%]/); print folder, "branches", a[2] * $6 / 100, $6 }'
done | awk '
  { ran[$1, $2] += $3; all[$1, $2] += $4; folders[$1] = 1 }
  END {
    for (f in folders) printf "%-28s lines %5.1f %%  branches %5.1f %%\n", f,
      100 * ran[f, "lines"] / all[f, "lines"],
      all[f, "branches"] ? 100 * ran[f, "branches"] / all[f, "branches"] : 100 }' | sort
