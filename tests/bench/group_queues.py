"""Steps and creates of the whole pair, beside queues whose jobs do nothing either."""
import functools
import operator
import re
import time
import urllib.request

import peers
from machine import Failed, stop
from rig import Bench
from table import Table, Turns

SLOTS, STEPS_A_TASK = 256, 4
CREATES, STEPS = operator.itemgetter("creates"), operator.itemgetter("steps")
COMPARISONS = (
    ("creates bullmq", "pair", "bullmq", CREATES, "BullMQ, 32 callers, Redis AOF each second"),
    ("creates graphile", "pair", "graphile", CREATES, "graphile-worker, 10 callers"),
    ("creates pg-boss", "pair", "pg-boss", CREATES, "pg-boss, 10 callers"),
    ("steps bullmq", "pair", "bullmq", STEPS, "BullMQ, 50 at once, Redis AOF each second"),
    ("steps dbos", "pair", "dbos", STEPS, "DBOS, 20 workflows at once"),
    ("steps graphile", "pair", "graphile", STEPS, "graphile-worker, 10 at once"),
    ("steps graphile batched", "pair", "graphile batched", STEPS, "graphile-worker, batched"),
    ("steps pg-boss", "pair", "pg-boss", STEPS, "pg-boss, 100 a fetch"),
)


def done_by(port: int) -> int:
    """Steps that have come back from this worker's handlers."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
        text = reply.read().decode()
    found = re.search(r'^tasker_worker_steps_total\{outcome="ok"\} (\d+)', text, re.M)
    return int(found.group(1)) if found else 0


def steps_of(bench: Bench, worker, created: int) -> float:
    """Steps a second from the first ones on, until the time is over or the tasks are done."""
    port, total = worker[1], STEPS_A_TASK * created
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
    turns = Turns(bench.wanted(COMPARISONS))
    cluster = functools.cache(lambda: peers.Postgres(bench))
    turns.enter("pair", lambda: pair(bench, len(turns.results["pair"])))
    turns.enter("bullmq", lambda: bullmq(bench))
    turns.enter("graphile", lambda: on_postgres(bench, cluster(), "graphile.mjs", "plain"))
    turns.enter("graphile batched", lambda: on_postgres(bench, cluster(), "graphile.mjs", "batched"))
    turns.enter("pg-boss", lambda: on_postgres(bench, cluster(), "pgboss.mjs"))
    turns.enter("dbos", lambda: on_postgres(bench, cluster(), "dbos.mjs"))
    turns.run(bench.rounds)
    table.compare(turns)
