#!/usr/bin/env python3
"""Measures the daemons beside their peers and prints a table of ratios (docs/performance.md says how and why).

Contenders take turns, round by round, on the same cores with the same tokens; a row is the median of the rounds' ratios.
rows.py is the table and its budgets, peers.py starts whom we are compared with, group_*.py measure.
"""
import argparse
import datetime
import os
import pathlib
import platform
import re
import resource
import signal
import statistics
import sys
import textwrap
import time

import group_http
import group_overload
import group_pair
import group_queues
import group_store
import peers
from machine import Failed, first_line
from rig import ROOT, Bench
from rows import ROWS
from table import Table, record

PARTS = {
    "http": group_http.measure,
    "verify": group_pair.verification,
    "store": group_store.measure,
    "queues": group_queues.measure,
    "workflow": group_pair.workflow,
    "memory": group_pair.memory,
    "start": group_pair.start,
    "overload": group_overload.measure,
    "growth": group_store.growth,
}


def about(bench: Bench) -> str:
    """What was measured where."""
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    commit = first_line("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    machine = f"{cpu.group(1) if cpu else platform.machine()}, {os.cpu_count()} cores"
    text = (f"{datetime.date.today()}, commit {commit}, {machine}, "
            f"Linux {platform.release()}; {', '.join(peers.versions())}. {bench.rounds} rounds of {bench.seconds} s.")
    if bench.noise:
        busy = max(statistics.median(bench.noise), 0)
        text += f" Meanwhile other programs kept {busy:.2f} cores busy (median of the runs)."
    return "\n".join(textwrap.wrap(text, 120, break_on_hyphens=False))


def parse() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--bin", required=True, help="the build folder: its bin/ and bench_* are run")
    options.add_argument("--dir", required=True, help="a folder to make anew, on the disk to be measured")
    options.add_argument("--seconds", type=int, default=3)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--growth", type=int, default=1000000, help="the most tasks that `growth` stores")
    options.add_argument("--only", choices=PARTS, action="append", help="this part; repeatable")
    options.add_argument("--record", help="a document to put the whole table into")
    options.add_argument("--row", choices=ROWS, action="append", metavar="ROW",
                         help="of --only http, store or queues: this row and whom it compares; repeatable. "
                              + ", ".join(ROWS))
    parsed = options.parse_args()
    if parsed.row and not parsed.only:
        options.error("--row needs the --only that its part is in")
    return parsed


def main() -> bool:
    options = parse()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # through the finally below: nothing we started stays
    bench, table, failed = Bench(options), Table(), False
    try:
        for name in options.only or PARTS:
            began = time.monotonic()
            try:
                PARTS[name](bench, table)
            except (Failed, OSError) as e:
                print(f"bench: {name}: {e}", file=sys.stderr)
                failed = True
            print(f"  -- {name}: {time.monotonic() - began:.0f} s", flush=True)
    finally:
        bench.close()
    text = about(bench) + "\n\n" + table.markdown(whole=not options.only)
    print("\n" + text)
    print("\n{} of {} budgets hold".format(*table.held()), end="")
    print(f", {table.unmeasured} could not be measured" if table.unmeasured else "")
    if options.record and not failed and not options.only:
        record(options.record, text)
    return failed


if __name__ == "__main__":
    sys.exit(main())
