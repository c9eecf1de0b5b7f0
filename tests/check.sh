#!/bin/sh
# Runs the named make targets one after the other, all of them whatever happens, and adds up what
# they report: Check's summary lines and "N passed, N failed". A target that reports nothing counts
# as one test; one that fails without naming a failed test counts as one failed. Exit 1 if any failed.
set -u
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
passed=0 failed=0 broken=
for part; do
  { ${MAKE:-make} --no-print-directory "$part" 2>&1; echo "exit $?"; } | tee "$out" | sed '/^exit [0-9]*$/d'
  counts=$(awk '
    /^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+$/ {
      gsub(/,/, ""); bad += $5 + $7; good += $3 - $5 - $7; seen = 1 }
    /^[0-9]+ passed, [0-9]+ failed/ { good += $1; bad += $3; seen = 1 }
    /^exit [0-9]+$/ { code = $2 }
    END {
      if (code != 0 && bad == 0) bad = 1
      if (code == 0 && !seen) good = 1
      print good + 0, bad + 0 }' "$out")
  passed=$((passed + ${counts% *}))
  failed=$((failed + ${counts#* }))
  [ "${counts#* }" -eq 0 ] || broken="$broken $part"
done
[ -z "$broken" ] || echo "failed:$broken (make <name> repeats one)"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
