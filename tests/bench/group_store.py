"""The store: creates and steps through HTTP beside the store alone, and both among many stored tasks."""
import shutil

from machine import numbers, stop
from rig import Bench
from table import Table, Turns

FILL_SECONDS = 300


def over_http(bench: Bench, number: int) -> dict:
    daemon = bench.orchestration("store", threads=0)
    load = bench.wrk(daemon, script="create.lua", args=[bench.token, number], refusals=True)
    if load.bad:
        print(f"  {load.bad:.0f} creates were refused")
    steps, seconds = bench.program("sink", daemon[1], bench.dir, 4, bench.seconds).split()
    stop(daemon[0])
    return {"creates": load.rate, "steps": int(steps) / float(seconds)}


def measure(bench: Bench, table: Table) -> None:
    turns = Turns()
    turns.enter("http", lambda: over_http(bench, len(turns.results["http"])))
    turns.enter("bare", lambda: numbers(bench.program("store", bench.fresh("bare"), bench.seconds)))
    turns.run(bench.rounds)
    for key, what in (("creates bare", "creates"), ("sink steps", "steps")):
        table.compare(key, turns, "http", "bare", lambda run, what=what: run[what], "the bare store")


def growth(bench: Bench, table: Table) -> None:
    """The cost of a claim and of a finish in stores of different sizes, beside the smallest."""
    sizes = sorted({min(n, bench.growth) for n in (1000, 100000, 1000000)})
    turns, places = Turns(), {size: bench.fresh(f"growth-{size}") for size in sizes}
    for size, place in places.items():
        bench.program("growth", place, "fill", size, seconds=FILL_SECONDS)
        turns.enter(f"{size:,}", lambda place=place: numbers(bench.program("growth", place, "measure")))
    turns.run(2 * bench.rounds - 1)
    small, *others = turns.results
    for size in others:
        print(f"  among {size} tasks:")
        for what in ("claim", "finish"):
            table.compare(what, turns, size, small, lambda run, what=what: run[what], f"among {small}, ours among {size}")
    for place in places.values():
        shutil.rmtree(place)  # half a gigabyte
