#!/bin/sh
# tests/torture/imports.sh FOLDER: every function that the objects of shared/, orchestration/ and
# worker/ below FOLDER take from elsewhere is wrapped (calls_*.def) or stands, with the reason why it
# is not, in unwrapped.tsv. And every row of a table is really called. One line a finding.
set -eu
objects=${1:?folder of a build}
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

find "$objects/shared" "$objects/orchestration" "$objects/worker" -name '*.o' ! -path '*/worker/shim.o' ! -name main.o >"$work/objects"
xargs nm -u <"$work/objects" | awk '/ [Uw] / { print $2 }' | sort -u >"$work/wanted"
xargs nm --defined-only <"$work/objects" | awk 'NF == 3 { print $3 }' | sort -u >"$work/own"
comm -23 "$work/wanted" "$work/own" >"$work/taken"
sed -nE 's/^CALL.[^,]*, *([A-Za-z0-9_]+),.*/\1/p' "$here"/calls_*.def | sort -u >"$work/wrapped"

comm -13 "$work/taken" "$work/wrapped" | sed 's/$/: a row for what nobody calls/' >"$work/found"
cut -f1 "$here/unwrapped.tsv" | tr ' ' '\n' | sed 's/\*/.*/g' >"$work/patterns"
comm -23 "$work/taken" "$work/wrapped" | { grep -vxE -f "$work/patterns" || true; } |
	sed 's/$/: neither wrapped nor in unwrapped.tsv/' >>"$work/found"
awk -F'\t' 'NF != 2 || $2 == "" { print "unwrapped.tsv:" NR ": names, one tab, and the reason" }' \
	"$here/unwrapped.tsv" >>"$work/found"
cat "$work/found"
failed=$(wc -l <"$work/found")
echo "imports: $(wc -l <"$work/taken") functions from elsewhere, $(wc -l <"$work/wrapped") of them can be made to fail"
echo "$((failed == 0)) passed, $((failed != 0)) failed"
[ "$failed" -eq 0 ]
