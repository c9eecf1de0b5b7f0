#!/bin/sh
# The demo: keys, both daemons with authentication on, one diamond workflow followed to its end.
# Run it with `make demo`; DEMO=once ends after the run. State is in build/demo; nothing else is touched.
set -eu
cd "$(dirname "$0")/../.."
bin=build/bin
state=build/demo
api_port=${DEMO_API_PORT:-8080}
worker_port=${DEMO_WORKER_PORT:-8081}
export DEMO_API="127.0.0.1:$api_port" DEMO_WORKER="127.0.0.1:$worker_port" DEMO_API_URL="http://127.0.0.1:$api_port"
export TASKER_ORCHESTRATION_URL="$DEMO_API_URL" TASKER_WORKER_URL="http://127.0.0.1:$worker_port"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }

orchestration='' worker=''
finish() {
	trap - EXIT INT TERM
	for pid in $worker $orchestration; do kill "$pid" 2>/dev/null || true; done
	for pid in $worker $orchestration; do wait "$pid" 2>/dev/null || true; done
}
trap finish EXIT
trap 'finish; exit 0' INT TERM

rm -rf "$state"
mkdir -p "$state"

say "1. Keys: one pair for users' tokens, another for the worker's credential"
$bin/tasker-ctl auth generate-keys --output-dir "$state/keys"
$bin/tasker-ctl auth generate-keys --output-dir "$state/internal-keys" >/dev/null 2>&1
(umask 077
 $bin/tasker-ctl auth generate-token --private-key "$state/internal-keys/jwt-private-key.pem" \
	--audience tasker-internal --subject wrk:demo-worker --namespaces demo 2>/dev/null >"$state/worker.token"
 $bin/tasker-ctl auth generate-token --private-key "$state/keys/jwt-private-key.pem" \
	--permissions "tasks:create,tasks:read,tasks:list,tasks:cancel,steps:read,templates:read,worker:templates_read" \
	--subject demo-user --expiry-hours 24 2>/dev/null >"$state/user.token")
TASKER_AUTH_TOKEN=$(cat "$state/user.token")
export TASKER_AUTH_TOKEN

start() { # role
	TASKER_AUTH_TOKEN='' $bin/tasker-"$1" --config "config/demo/$1.toml" --port-file "$state/$1.port" \
		2>"$state/$1.log" &
	pid=$!
	n=0
	until [ -s "$state/$1.port" ]; do
		n=$((n + 1))
		if [ $n -gt 100 ] || ! kill -0 "$pid" 2>/dev/null; then
			echo "tasker-$1 did not start; its log ($state/$1.log) ends:" >&2
			tail -n 5 "$state/$1.log" >&2
			grep -q 'Address already in use' "$state/$1.log" &&
				echo "other ports: make demo DEMO_API_PORT=9080 DEMO_WORKER_PORT=9081" >&2
			exit 1
		fi
		sleep 0.1
	done
}

say "2. Both daemons (logs in $state/*.log)"
start orchestration && orchestration=$pid
start worker && worker=$pid
n=0 # ready once the worker has registered its templates and its handlers answer
until $bin/tasker-ctl system health >/dev/null 2>&1; do
	n=$((n + 1))
	if [ $n -gt 150 ]; then
		$bin/tasker-ctl system health || true
		echo "the pair did not become ready; see $state/worker.log" >&2
		exit 1
	fi
	sleep 0.1
done
$bin/tasker-ctl system health

say "3. A diamond workflow: start, then left and right at once, then join"
task=$($bin/tasker-ctl --output json task create --namespace demo --name diamond --version 1.0.0 --input '{"number":6}' |
	sed -n 's/.*"task_uuid":"\([^"]*\)".*/\1/p')
$bin/tasker-ctl task watch "$task"
echo
$bin/tasker-ctl task steps "$task"

say "4. Do it yourself"
cat <<EOF
API:      $DEMO_API_URL      /health/detailed /metrics /api-docs/openapi.json
Worker:   http://127.0.0.1:$worker_port      /health/detailed /metrics /api-docs/openapi.json
Token:    export TOKEN=\$(cat $state/user.token)

curl -s -H "Authorization: Bearer \$TOKEN" $DEMO_API_URL/v1/tasks/$task
curl -s -H "Authorization: Bearer \$TOKEN" $DEMO_API_URL/v1/tasks/$task/workflow_steps
curl -s -H "Authorization: Bearer \$TOKEN" -H "Content-Type: application/json" $DEMO_API_URL/v1/tasks \\
  -d '{"name":"diamond","namespace":"demo","version":"1.0.0","context":{"number":8},"initiator":"me","source_system":"curl","reason":"trying it"}'
curl -i $DEMO_API_URL/v1/tasks        # 401: no credential
EOF
if [ "${DEMO:-}" = once ]; then
	finish
	exit 0
fi
say "The pair stays up until Ctrl-C."
wait "$orchestration"
