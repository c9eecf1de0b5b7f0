"""Medians of rounds, their ratios and what they mean for a budget; and the table as markdown."""
from __future__ import annotations

import pathlib
import statistics

from machine import Failed
from rows import ROWS

JUDGED = {True: "yes", False: "**no**", None: ""}
STRETCHED = {True: "reached", False: "not reached", None: ""}


class Turns:
    """Contenders that take turns, once each in every round; one that fails is out and `failures` says why.

    comparisons: (key of ROWS, ours, peer, what of a run is compared, the peer's name), whose contenders run."""

    def __init__(self, comparisons):
        self.comparisons = comparisons
        self.needed = {name for _, ours, peer, *_ in comparisons for name in (ours, peer)}
        self.runs, self.results, self.failures = {}, {}, {}

    def enter(self, name: str, run) -> None:
        """Adds a contender if any comparison needs it; run() is one run of it."""
        if name in self.needed:
            self.runs[name], self.results[name] = run, []

    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            for name, run in self.runs.items():
                if name in self.failures:
                    continue
                try:
                    self.results[name].append(run())
                except (Failed, OSError) as e:
                    self.failures[name] = str(e) or type(e).__name__


def ratio_of(ours: list, peer: list) -> float:
    """The median of the rounds' ratios: what drifts from round to round drifts for both."""
    return statistics.median(a / b for a, b in zip(ours, peer))


class Table:
    def __init__(self):
        self.lines = {}  # key of ROWS -> the row's cells
        self.unmeasured = 0

    def put(self, key: str, ours: str, peer: str = "", ratio: str = "", budget: str = "", judged: str = "") -> None:
        self.lines[key] = (ROWS[key].what, ours, peer, ratio, budget, judged)
        beside = f" / {peer}" + (f" = {ratio}" if ratio else "") if peer else ""
        print(f"  {ROWS[key].what}: {ours}{beside}" + (f"  (budget {budget}: {judged})" if budget else ""), flush=True)

    def judge(self, key: str, figure: float, ours: str, peer: str, ratio: str, sync: float = 0) -> None:
        row = ROWS[key]
        holds = row.holds(figure, sync)
        judged = STRETCHED[row.reaches(figure)] if holds is None else JUDGED[holds]
        self.put(key, ours, peer, ratio, row.promise(sync), judged)

    def compare(self, turns: Turns) -> None:
        """The rows of all its comparisons; a contender of ours that failed fails the part."""
        for key, ours, peer, measure, peer_name in turns.comparisons:
            if ours in turns.failures:
                raise Failed(f"{ours}: {turns.failures[ours]}")
            unit, a, b = ROWS[key].unit, turns.results[ours], turns.results[peer]
            if peer in turns.failures:
                self.missing(key, cell(a, measure, unit), peer_name, turns.failures[peer])
                continue
            ratio = ratio_of([measure(each) for each in a], [measure(each) for each in b])
            self.judge(key, ratio, cell(a, measure, unit), f"{cell(b, measure, unit)} {peer_name}", f"{ratio:.2f}")

    def figure(self, key: str, ours: float, peer: float | None = None, peer_name: str = "", sync: float = 0) -> None:
        """A row of two figures, or of ours alone; sync is what one fdatasync takes, in the row's unit."""
        unit, ratio = ROWS[key].unit, None if not peer else ours / peer
        self.judge(key, ours if ROWS[key].absolute else ratio, unit.format(ours),
                   f"{unit.format(peer)} {peer_name}" if peer else peer_name, f"{ratio:.2f}" if ratio else "", sync)

    def missing(self, key: str, ours: str, peer_name: str, why: str) -> None:
        """The row of a peer that cannot run here: no fault of ours, and no proof of anything."""
        row = ROWS[key]
        self.unmeasured += row.limit() is not None
        self.put(key, ours, f"{peer_name}: {plain(why)}", "", row.promise(), "not measured")

    def markdown(self, whole: bool) -> str:
        """In the order of ROWS; a whole table also says what nobody can measure yet."""
        lines = ["| what | ours | peer | ratio | budget | holds |", "|---|---|---|---|---|---|"]
        for key, row in ROWS.items():
            if key in self.lines:
                lines.append("| " + " | ".join(self.lines[key]) + " |")
            elif whole:
                why = f"not yet: {row.needs}" if row.needs else "not measured"
                lines.append(f"| {row.what} | {why} | | | {row.promise()} | |")
        return "\n".join(lines)

    def held(self) -> tuple:
        """How many budgets hold, of how many that were judged."""
        judged = [line[5] for line in self.lines.values() if line[5] in (JUDGED[True], JUDGED[False])]
        return judged.count(JUDGED[True]), len(judged)


def plain(text: str) -> str:
    """Somebody's last words, fit for a cell."""
    return " ".join(text.replace("|", "/").split())[:120]


def cell(loads: list, measure, unit: str) -> str:
    """The median, and beside a rate the CPU time a request: that one does not care who else kept the machine busy."""
    text = unit.format(statistics.median(map(measure, loads)))
    return text + (f" at {statistics.median(map(cpu_us, loads)):.1f} µs" if measure is rate else "")


def rate(load) -> float:
    return load.rate


def cpu_us(load) -> float:
    return load.cpu_us


def p99(load) -> float:
    return load.p99_ms


def record(path: str, text: str) -> None:
    """Puts text between the page's two marks."""
    before, _, rest = pathlib.Path(path).read_text().partition("<!-- bench -->\n")
    _, mark, after = rest.partition("<!-- /bench -->")
    if not mark:
        raise Failed(f"{path} has no marks for the table")
    pathlib.Path(path).write_text(f"{before}<!-- bench -->\n{text}\n{mark}{after}")
