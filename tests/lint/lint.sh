#!/bin/sh
# shellcheck disable=SC2046,SC2086 # lists of files are meant to be split
# Rules that no compiler checks. Each finding is one line: FILE:LINE: what and why. Silent when clean.
set -eu
cd "${1:-$(dirname "$0")/../..}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
found=$work/found code=$work/code
: >"$found"

product=$(find shared orchestration worker ctl -name '*.[ch]' -o -name '*.cpp' 2>/dev/null | sort)
tests=$(find tests -name '*.[ch]' | sort)
headers=$(echo "$product" | grep '\.h$')
tables=$(find shared orchestration worker ctl -name '*.def' 2>/dev/null | sort)
awk -f tests/lint/strip.awk $product >"$code"

# Who may include whom (layers.tsv: a folder, the folders it may use), and by its full path.
grep -E '^[^:]*:[0-9]+:#[ ]*include "' "$code" | awk -F'[:"]' -v table=tests/lint/layers.tsv '
	BEGIN { while ((getline row < table) > 0) { split(row, c, "\t"); may[c[1]] = " " c[2] " " } }
	function folder(path, p) { split(path, p, "/"); return p[1] == "shared" ? p[1] "/" p[2] : p[1] }
	{
		from = folder($1)
		if ($4 !~ /\// && $4 !~ /_assets\.|^gen/) print $1 ":" $2 ": \"" $4 "\" is no path from the root"
		else if (index(may[from], " " folder($4) " ") == 0)
			print $1 ":" $2 ": " from " may not use " folder($4)
	}' >>"$found"

# Which files may open the door to a library (doors.tsv: a header, the files).
awk -F: -v table=tests/lint/doors.tsv '
	BEGIN { while ((getline row < table) > 0) { split(row, c, "\t"); door[c[1]] = c[2] } }
	$3 !~ /^#[ ]*include </ { next }
	/event2\/http/ { print $1 ":" $2 ": evhttp is no part of this"; next }
	{
		name = $3
		sub(/^[^<]*</, "", name)
		for (d in door) {
			if (index(name, d) != 1) continue
			n = split(door[d], ok, " ")
			for (good = i = 0; ++i <= n;) if (index($1, ok[i]) == 1) good = 1
			if (!good) print $1 ":" $2 ": <" d "> is included only by: " door[d]
		}
	}' "$code" >>"$found"

# Calls with a better name here (bans.tsv: names, why).
while IFS="$(printf '\t')" read -r names why; do
	grep -E "(^|[^A-Za-z0-9_])($names)[ ]?\(" "$code" |
		sed -E "s/^([^:]*:[0-9]+):(.*[^A-Za-z0-9_])?($names)[ ]?\(.*/\1: \3(): /; s|\$|$why|"
done <tests/lint/bans.tsv >>"$found"
grep -E '(^|[^A-Za-z0-9_])(goto)[^A-Za-z0-9_]' "$code" |
	sed -E 's/^([^:]*:[0-9]+):.*/\1: goto: AUTO() and an early return say it/' >>"$found" || true

# Headers: sentences, ownership, faults that must be looked at.
awk -f tests/lint/headers.awk $headers >>"$found"

# Sizes.
wc -l $product $tests | awk '$2 != "total" && ($1 > 600 || ($1 > 120 && $2 ~ /\.h$/)) {
	print $2 ":1: " $1 " lines; the limit is " ($2 ~ /\.h$/ ? 120 : 600) }' >>"$found"
ctags -o - --languages=C,C++ --kinds-C=f --kinds-C++=f --fields=+ne $product $tests |
	sed -nE 's/^([^\t]+)\t([^\t]+)\t.*line:([0-9]+).*end:([0-9]+).*/\1 \2 \3 \4/p' |
	awk '$4 - $3 + 1 > 70 { print $2 ":" $3 ": " $1 "() has " $4 - $3 + 1 " lines; the limit is 70" }' >>"$found"

# Layout. clang-format reads .clang-format.
echo $product $tests | xargs -n 24 -P 2 clang-format --dry-run -Werror 2>&1 |
	sed -nE 's/^([^:]+:[0-9]+):[0-9]+: error: .*/\1: not as clang-format writes it (make format)/p' >>"$found"

# A configuration key that no document names does not exist.
for key in $(cat /dev/null $(echo "$tables" | grep '^shared/config/') |
	sed -nE 's/^(KEY|API_KEY|HANDLER)\("([^"]+)".*/\2/p'); do
	[ -f docs/configuration.md ] || { echo "docs/configuration.md:1: does not exist"; break; }
	grep -qF "$key" docs/configuration.md || echo "docs/configuration.md:1: the key $key is not described"
done >>"$found"

# Members of a template and states stand in docs/workflows.md.
for word in $(cat /dev/null $(echo "$tables" | grep -E '^shared/template/|_state\.def$') |
	sed -nE 's/^(FIELD|CHOICE|NOTED|GROUP|NOTED_GROUP|LIST|ALIAS|TASK_STATE|STEP_STATE)\([^"]*"([^"]+)".*/\2/p'); do
	[ -f docs/workflows.md ] || { echo "docs/workflows.md:1: does not exist"; break; }
	grep -qF "\`$word\`" docs/workflows.md || echo "docs/workflows.md:1: $word is not described"
done >>"$found"

# Permissions, verdicts, routes and requirements stand in docs/security.md as they are.
if [ -f docs/security.md ]; then
	awk -f tests/lint/security.awk $(echo "$tables" | grep -E '^shared/security/[a-z_]*(permission|verdict)\.def$') \
		$(echo "$tables" | grep 'routes\.def$') docs/security.md
else
	echo "docs/security.md:1: does not exist"
fi >>"$found"

# A route row says who may use it.
for routes in $(echo "$tables" | grep 'routes\.def$'); do
	awk '/^ROUTE\(/ && !/[ ,](OPEN|SIGNED_IN|INTERNAL|NEEDS\([A-Z_]+, *[A-Z_]+\))/ {
		print FILENAME ":" FNR ": a route without an access column" }' "$routes"
done >>"$found"

# Scripts.
shellcheck -S warning -f gcc $(find .ci tests docs config -name '*.sh' -o -path .ci/run 2>/dev/null) |
	sed -E 's/^([^:]+:[0-9]+):[0-9]+: /\1: /' >>"$found"

sort -u "$found"
[ ! -s "$found" ]
