#!/bin/sh
# tests/torture/modules.sh BUILD SITES: every module of shared/ that allocates or makes a call which
# calls_*.def lists has failed somewhere, or stands in untouched.tsv with the reason why it has not.
# SITES holds, for each program of BUILD that was run with TORTURE_SITES, a file of its name.
set -eu
build=${1:?folder of a build}
sites=${2:?folder of sites}
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

{
	printf '%s\n' malloc calloc realloc reallocarray strdup strndup
	sed -nE 's/^CALL.[^,]*, *([A-Za-z0-9_]+),.*/\1/p' "$here"/calls_*.def
} | sort -u >"$work/fallible"
find "$build/shared" -name '*.o' | while read -r object; do
	nm -u "$object" | awk '{ print $NF }' | sort -u | comm -12 - "$work/fallible" | grep -q . || continue
	module=${object#"$build/"}
	echo "${module%.o}"
done | sort -u >"$work/modules"
for file in "$sites"/*; do
	awk '{ print $2 }' "$file" | sort -u | addr2line -i -e "$build/${file##*/}"
done | sed -nE 's,.*/(shared/[^:]*)\.(c|cpp):.*,\1,p' | sort -u >"$work/failed"
cut -f1 "$here/untouched.tsv" | sort -u >"$work/excused"

comm -23 "$work/modules" "$work/failed" >"$work/missing"
comm -23 "$work/missing" "$work/excused" | sed 's/$/: nothing of it ever failed/' >"$work/found"
comm -12 "$work/excused" "$work/failed" | sed 's/$/: in untouched.tsv, but something of it failed/' >>"$work/found"
cat "$work/found"
failed=$(wc -l <"$work/found")
echo "modules: $(wc -l <"$work/modules") of shared/ can fail, $(comm -12 "$work/modules" "$work/failed" | wc -l) did"
echo "$((failed == 0)) passed, $((failed != 0)) failed"
[ "$failed" -eq 0 ]
