"""Steps and creates of the whole pair, beside queues whose jobs do nothing either."""
import re
import time
import urllib.request

import peers
from machine import Failed, stop
from rig import Bench
from table import Table, Turns

SLOTS, CREATES_PER_STEP = 256, 4
BULLMQ, DBOS, PGBOSS = "BullMQ, 50 at once, Redis AOF each second", "DBOS, 20 workflows at once", "pg-boss, 100 a fetch"
GRAPHILE, BATCHED = "graphile-worker, 10 at once", "graphile-worker, batched"


def done_by(port: int) -> int:
    """Steps that have come back from this worker's handlers."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
        text = reply.read().decode()
    found = re.search(r'^tasker_worker_steps_total\{outcome="ok"\} (\d+)', text, re.M)
    return int(found.group(1)) if found else 0


def steps_of(bench: Bench, worker, created: int) -> float:
    """Steps a second from the first ones on, until the time is over or the tasks are done."""
    port, total = worker[1], CREATES_PER_STEP * created
    patience = time.monotonic() + 15
    while (first := done_by(port)) == 0:
        if time.monotonic() > patience:
            raise Failed("the pair completes no steps")
        time.sleep(0.002)
    began, done, now = time.monotonic(), first, 0.0
    while done < total - SLOTS and now - began < bench.seconds:
        time.sleep(0.1)
        done, now = done_by(port), time.monotonic()
    return (done - first) / (now - began)


def pair(bench: Bench, number: int) -> dict:
    """Creates first and steps after them, as the peers do."""
    daemon = bench.orchestration("pair", threads=0)
    load = bench.wrk(daemon, script="create.lua", args=[bench.token, f"pair-{number}"], refusals=True)
    worker = bench.worker("pair-worker", daemon[1], f'["{bench.bin}/bench_noop"]', slots=SLOTS)
    try:
        return {"creates": load.rate, "steps": steps_of(bench, worker, int(load.requests - load.bad))}
    finally:
        stop(worker[0])
        stop(daemon[0])


def bullmq(bench: Bench) -> dict:
    with peers.redis(bench) as port:
        return peers.queue("bullmq.mjs", bench.seconds, {}, port)


def on_postgres(bench: Bench, cluster, script: str, *args) -> dict:
    with cluster.database() as env:
        return peers.queue(script, bench.seconds, env, *args)


def measure(bench: Bench, table: Table) -> None:
    turns = Turns()
    cluster = turns.start("postgresql", lambda: peers.Postgres(bench))
    turns.enter("pair", lambda: pair(bench, len(turns.results["pair"])))
    turns.enter("bullmq", lambda: bullmq(bench))
    for name, *command in (("graphile", "graphile.mjs", "plain"), ("graphile batched", "graphile.mjs", "batched"),
                           ("pg-boss", "pgboss.mjs"), ("dbos", "dbos.mjs")):
        turns.enter(name, lambda command=command: on_postgres(bench, cluster, *command), of="postgresql")
    turns.run(bench.rounds)
    for name, who in (("bullmq", "BullMQ, 32 callers, Redis AOF each second"), ("graphile", "graphile-worker, 10 callers"),
                      ("pg-boss", "pg-boss, 10 callers")):
        table.compare(f"creates {name}", turns, "pair", name, lambda run: run["creates"], who)
    for name, who in (("bullmq", BULLMQ), ("dbos", DBOS), ("graphile", GRAPHILE), ("graphile batched", BATCHED),
                      ("pg-boss", PGBOSS)):
        table.compare(f"steps {name}", turns, "pair", name, lambda run: run["steps"], who)
