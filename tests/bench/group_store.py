"""The store: creates and steps through HTTP beside the store alone, and both among many stored tasks."""
import operator
import shutil

from machine import numbers, stop
from rig import Bench
from table import Table, Turns

FILL_SECONDS = 600
SIZES = {"1k": 1000, "100k": 100000, "1m": 1000000}
COMPARISONS = (
    ("creates bare", "http", "bare", operator.itemgetter("creates"), "the bare store"),
    ("sink steps", "http", "bare", operator.itemgetter("steps"), "the bare store"),
)


def over_http(bench: Bench, number: int) -> dict:
    daemon = bench.orchestration("store", threads=0)
    load = bench.wrk(daemon, script="create.lua", args=[bench.token, number], refusals=True)
    if load.bad:
        print(f"  {load.bad:.0f} creates were refused")
    steps, seconds = bench.program("sink", daemon[1], bench.dir, 4, bench.seconds).split()
    stop(daemon[0])
    return {"creates": load.rate, "steps": int(steps) / float(seconds)}


def measure(bench: Bench, table: Table) -> None:
    turns = Turns(bench.wanted(COMPARISONS))
    turns.enter("http", lambda: over_http(bench, len(turns.results["http"])))
    turns.enter("bare", lambda: numbers(bench.program("store", bench.fresh("bare"), bench.seconds)))
    turns.run(bench.rounds)
    table.compare(turns)


def growth(bench: Bench, table: Table) -> None:
    """The cost of a claim and of a finish in large stores, and beside them in a small one."""
    sizes = {name: size for name, size in SIZES.items() if size <= bench.growth}
    places = {name: bench.fresh(f"growth-{name}") for name in sizes}
    turns = Turns([(f"{what} {name}", name, "1k", operator.itemgetter(what), "among 1,000")
                   for name in list(sizes)[1:] for what in ("claim", "finish")])
    for name, place in places.items():
        bench.program("growth", place, "fill", sizes[name], seconds=FILL_SECONDS)
        turns.enter(name, lambda place=place: numbers(bench.program("growth", place, "measure")))
    turns.run(2 * bench.rounds - 1)
    table.compare(turns)
    for place in places.values():
        shutil.rmtree(place)  # half a gigabyte
