#!/bin/sh
# The demo, DEMO=once, with the programs of a folder ($1) and in a tree of its own that looks like the
# project's: it ends by itself and well, its workflow is complete, it prints the lines to repeat it and
# leaves no daemon behind.
set -eu
cd "$(dirname "$0")/../.."
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/build"
ln -s "$(realpath "$1")" "$tree/build/bin"
ln -s "$PWD/config" "$tree/config"
ports=$(python3 -c '
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*[s.getsockname()[1] for s in held])')
DEMO_API_PORT=${ports% *} DEMO_WORKER_PORT=${ports#* }
export DEMO_API_PORT DEMO_WORKER_PORT

fail() {
	echo "demo-test: $*; it said:"
	cat "$tree/out"
	exit 1
}

DEMO=once timeout 120 "$tree/config/demo/demo.sh" >"$tree/out" 2>&1 || fail "it ended with $?"
grep -q 'task diamond  complete' "$tree/out" || fail "the workflow did not complete"
for step in start left right join; do
	grep -Eq "^$step +complete" "$tree/out" || fail "step $step is not complete"
done
[ "$(grep -c "^curl .*:$DEMO_API_PORT/v1/tasks" "$tree/out")" -eq 4 ] || fail "it prints other lines"
for port in $ports; do
	! curl -s -o /dev/null "http://127.0.0.1:$port/health" || fail "port $port still answers"
done
case $(stat -c %a "$tree/build/demo/user.token" "$tree/build/demo/worker.token" | sort -u) in
	600) ;;
	*) fail "others may read its tokens" ;;
esac
echo "1 passed, 0 failed"
