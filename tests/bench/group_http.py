"""Requests: whoami and one task, against the peers that answer as little."""
import peers
from machine import stop
from rig import CROWD, Bench
from table import Table, Turns, cpu_us, p99, rate

NOTHING, JWT = "nginx `return 200`", "HAProxy `jwt_verify`"
FASTIFY, APACHE, FASTAPI = "fastify + fast-jwt's cache", "Apache mod_oauth2", "FastAPI + PyJWT"


def warm(bench: Bench, target):
    """What interprets its program needs a while to compile it."""
    bench.wrk(target, token=bench.token)
    return target


def measure(bench: Bench, table: Table) -> None:
    turns = Turns()
    begun = len(bench.running)
    ours = bench.orchestration("cached")
    fresh = bench.orchestration("fresh", cache=8)  # 2,048 tokens through 8 places: each is new when it comes
    fresh_ec = bench.orchestration("fresh-ec", key="users-ec.pem", cache=8)
    off = bench.orchestration("auth-off", auth=False)
    task = bench.program("latency", ours[1], bench.dir, 0).strip()  # creates one task and says its path
    haproxy = turns.start("haproxy", lambda: peers.haproxy(bench))
    haproxy_ec = haproxy and (haproxy[0], haproxy[2])
    rs, ec = {"args": [bench.dir / "rs256.tokens"]}, {"args": [bench.dir / "es256.tokens"]}
    turn, one = {"script": "tokens.lua"}, {"token": bench.token}

    nginx = turns.start("nginx", lambda: peers.nginx(bench))
    turns.enter("nginx", lambda: bench.wrk(nginx, **one))
    turns.enter("cached", lambda: bench.wrk(ours, **one))
    turns.enter("haproxy", lambda: bench.wrk(haproxy, **one))
    for name, begin in (("fastify", peers.fastify), ("apache", peers.apache), ("fastapi", peers.fastapi)):
        target = turns.start(name, lambda begin=begin: warm(bench, begin(bench)))
        turns.enter(name, lambda target=target: bench.wrk(target, **one))
    turns.enter("off", lambda: bench.wrk(off, **one))
    turns.enter("task", lambda: bench.wrk(ours, path=task, **one))
    turns.enter("turn", lambda: bench.wrk(ours, **turn, **rs))
    turns.enter("haproxy turn", lambda: bench.wrk(haproxy, **turn, **rs), of="haproxy")
    turns.enter("fresh", lambda: bench.wrk(fresh, **turn, **rs))
    turns.enter("haproxy ec", lambda: bench.wrk(haproxy_ec, **turn, **ec), of="haproxy")
    turns.enter("fresh ec", lambda: bench.wrk(fresh_ec, **turn, **ec))
    turns.enter("crowd", lambda: bench.wrk(ours, connections=CROWD, **one))
    turns.enter("haproxy crowd", lambda: bench.wrk(haproxy, connections=CROWD, **one), of="haproxy")
    turns.run(bench.rounds)

    table.compare("whoami cpu", turns, "cached", "nginx", cpu_us, NOTHING)
    table.compare("whoami haproxy", turns, "cached", "haproxy", rate, JWT)
    table.compare("whoami fastify", turns, "cached", "fastify", rate, FASTIFY)
    table.compare("whoami apache", turns, "cached", "apache", rate, APACHE)
    table.compare("whoami fastapi", turns, "cached", "fastapi", rate, FASTAPI)
    table.compare("many tokens", turns, "turn", "haproxy turn", rate, JWT)
    table.compare("new RS256", turns, "fresh", "haproxy turn", rate, JWT)
    table.compare("new ES256", turns, "fresh ec", "haproxy ec", rate, JWT)
    table.compare("auth on", turns, "cached", "off", rate, "ours, off")
    table.compare("task cpu", turns, "task", "nginx", cpu_us, NOTHING)
    table.compare("p99", turns, "cached", "haproxy", p99, JWT)
    table.compare("p99 crowd", turns, "crowd", "haproxy crowd", p99, JWT)
    for process in bench.running[begun:]:
        stop(process)
