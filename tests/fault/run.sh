#!/bin/sh
# Runs suites of the fault tests beside one another, since most of them wait most of the time, and
# prints what each said when all have ended. SUITE or SUITE:VARIABLE=VALUE, which is set for that
# one alone; exit 1 if any failed.
#     run.sh PROGRAM SUITE...
set -u
program=$1
shift
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
n=0 pids=
for suite; do
	n=$((n + 1))
	(
		case $suite in *:*) export "${suite#*:}" ;; esac
		CK_RUN_SUITE=${suite%%:*} exec "$program"
	) >"$out/$n" 2>&1 &
	pids="$pids $!"
done
failed=0 i=0
for pid in $pids; do
	i=$((i + 1))
	wait "$pid" || failed=1
	cat "$out/$i"
done
exit $failed
