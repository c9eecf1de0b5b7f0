"""Requests: whoami and one task, against the peers that answer as little."""
import functools

import peers
from machine import stop
from rig import CROWD, Bench
from table import Table, Turns, cpu_us, p99, rate

NOTHING, JWT = "nginx `return 200`", "HAProxy `jwt_verify`"
WARM_REQUESTS, WARM_RUNS = 20000, 10
COMPARISONS = (
    ("whoami cpu", "cached", "nginx", cpu_us, NOTHING),
    ("whoami haproxy", "cached", "haproxy", rate, JWT),
    ("whoami fastify", "cached", "fastify", rate, "fastify + fast-jwt's cache"),
    ("whoami apache", "cached", "apache", rate, "Apache mod_oauth2"),
    ("whoami fastapi", "cached", "fastapi", rate, "FastAPI + PyJWT"),
    ("many tokens", "turn", "haproxy turn", rate, JWT),
    ("new RS256", "fresh", "haproxy turn", rate, JWT),
    ("new ES256", "fresh ec", "haproxy ec", rate, JWT),
    ("auth on", "cached", "off", rate, "ours, off"),
    ("task cpu", "task", "nginx", cpu_us, NOTHING),
    ("p99", "cached", "haproxy", p99, JWT),
    ("p99 crowd", "crowd", "haproxy crowd", p99, JWT),
)


def ours(bench: Bench, turns: Turns) -> None:
    cached = functools.cache(lambda: bench.orchestration("cached"))
    fresh = functools.cache(lambda: bench.orchestration("fresh", cache=8))  # each of 2,048 tokens is new when it comes
    fresh_ec = functools.cache(lambda: bench.orchestration("fresh-ec", key="users-ec.pem", cache=8))
    off = functools.cache(lambda: bench.orchestration("auth-off", auth=False))
    task = functools.cache(lambda: bench.program("latency", cached()[1], bench.dir, 0).strip())  # creates one: its path
    rs, ec = ({"script": "tokens.lua", "args": [bench.dir / name]} for name in ("rs256.tokens", "es256.tokens"))
    turns.enter("cached", lambda: bench.wrk(cached(), token=bench.token))
    turns.enter("off", lambda: bench.wrk(off(), token=bench.token))
    turns.enter("task", lambda: bench.wrk(cached(), path=task(), token=bench.token))
    turns.enter("turn", lambda: bench.wrk(cached(), **rs))
    turns.enter("fresh", lambda: bench.wrk(fresh(), **rs))
    turns.enter("fresh ec", lambda: bench.wrk(fresh_ec(), **ec))
    turns.enter("crowd", lambda: bench.wrk(cached(), connections=CROWD, token=bench.token))


def theirs(bench: Bench, turns: Turns) -> None:
    rs, ec = ({"script": "tokens.lua", "args": [bench.dir / name]} for name in ("rs256.tokens", "es256.tokens"))
    haproxy = functools.cache(lambda: peers.haproxy(bench))
    turns.enter("haproxy", lambda: bench.wrk(haproxy(), token=bench.token))
    turns.enter("haproxy turn", lambda: bench.wrk(haproxy(), **rs))
    turns.enter("haproxy ec", lambda: bench.wrk((haproxy()[0], haproxy()[2]), **ec))
    turns.enter("haproxy crowd", lambda: bench.wrk(haproxy(), connections=CROWD, token=bench.token))
    starts = {"nginx": peers.nginx, "apache": peers.apache, "fastapi": peers.fastapi,
              "fastify": lambda bench: warm(bench, peers.fastify(bench))}
    for name, begin in starts.items():
        target = functools.cache(lambda begin=begin: begin(bench))
        turns.enter(name, lambda target=target: bench.wrk(target(), token=bench.token))


def warm(bench: Bench, target):
    """node compiles what has run often enough, so that is a number of requests rather than a time."""
    answered = 0
    for _ in range(WARM_RUNS):
        answered += bench.wrk(target, token=bench.token, seconds=2).requests
        if answered > WARM_REQUESTS:
            break
    return target


def measure(bench: Bench, table: Table) -> None:
    turns, begun = Turns(bench.wanted(COMPARISONS)), len(bench.running)
    ours(bench, turns)
    theirs(bench, turns)
    turns.run(bench.rounds)
    table.compare(turns)
    for process in bench.running[begun:]:
        stop(process)
