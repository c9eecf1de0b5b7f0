"""More creates than the store can take, beside workers at work: tests/net/overload.c does it and says what it saw."""
import json
import os

from machine import Failed, call
from rig import ROOT, Bench
from table import Table

FAULTS = ("failed", "without_retry_after", "polls_failed", "violations")


def measure(bench: Bench, table: Table) -> None:
    """The program ends with 1 where it finds a budget missed; that is for the table to say."""
    env = {**os.environ, "TASKER_BIN": str(bench.bin / "bin"), "FAULT_HANDLER": str(bench.bin / "fault_handler")}
    output = call([bench.bin / "overload", bench.seconds, bench.rounds], seconds=300, fine=(0, 1), cwd=ROOT, env=env)
    try:
        seen = json.loads(output.strip().rpartition("\n")[2])
    except ValueError:
        raise Failed("overload says nothing: the pair did not start, or did not end in order") from None
    table.judge("overload", seen["share"], f"{seen['goodput_per_s']:,.0f}/s of {seen['offered_per_s']:,.0f}/s",
                f"{seen['peak_per_s']:,.0f}/s, waiting for each answer", f"{seen['share']:.2f}")
    table.figure("overload refusal", seen["refused_p99_ms"])
    table.figure("overload leases", seen["leases_lost"])
    wrong = [f"{name} {seen[name]}" for name in FAULTS if seen[name]]
    if wrong:
        raise Failed("overload: " + ", ".join(wrong))
