"""The rows of the table and what each promises: design and order of docs/performance.md."""
from __future__ import annotations

import dataclasses

US, MS, MB, PER_S = "{:.1f} µs", "{:.2f} ms", "{:.1f} MB", "{:,.0f}/s"
WHOAMI = "`GET /v1/whoami`, one token: requests"
STEPS = "steps completed, whole pair, handlers that do nothing, SQLite FULL"


@dataclasses.dataclass(frozen=True)
class Row:
    """The budget judges the ratio of our figure to the peer's, or where absolute is set, our figure itself."""
    what: str
    unit: str = "{}"
    at_most: float | None = None
    at_least: float | None = None
    stretch: float | None = None  # beyond the budget: shown, and judged only where there is no budget
    absolute: bool = False
    syncs: float = 0  # an absolute limit grows by so many fdatasyncs of the disk
    needs: str = ""  # what is to be built before this can be measured

    def limit(self, sync: float = 0):
        return self.at_least if self.at_most is None else self.at_most + self.syncs * sync

    def holds(self, figure: float, sync: float = 0):
        """True, False, or None where nothing is promised. figure is the ratio, or ours where absolute."""
        if self.at_most is not None:
            return figure <= self.limit(sync)
        return None if self.at_least is None else figure >= self.at_least

    def reaches(self, figure: float):
        """The same about the stretch, which lies on the budget's side."""
        if self.stretch is None:
            return None
        return figure <= self.stretch if self.at_most is not None else figure >= self.stretch

    def promise(self, sync: float = 0) -> str:
        """The budget as the table shows it."""
        sign = "≥" if self.at_most is None else "≤"
        stretch = "" if self.stretch is None else f"stretch {sign} {self.number(self.stretch)}"
        if self.limit() is None:
            return stretch
        budget = self.number(self.limit())
        if self.syncs:
            times = f"{self.syncs:g} " if self.syncs != 1 else ""
            budget = f"{times}fdatasync + {self.number(self.at_most)} = {self.number(self.limit(sync), exact=True)}"
        return f"{sign} {budget}" + (f" ({stretch})" if stretch else "")

    def number(self, n: float, exact: bool = False) -> str:
        """n as a limit is written: 1.2 alone, 4 MB with the unit of an absolute row."""
        if not self.absolute:
            return f"{n:g}"
        return self.unit.format(n) if exact else f"{n:g}" + self.unit.partition("}")[2]


ROWS = {
    "whoami cpu": Row("`GET /v1/whoami`, one token: CPU a request", US, at_most=1.2, stretch=1),
    "whoami haproxy": Row(WHOAMI, PER_S, at_least=5, stretch=7),
    "whoami fastify": Row(WHOAMI, PER_S, at_least=4),
    "whoami apache": Row(WHOAMI, PER_S),
    "whoami fastapi": Row(WHOAMI, PER_S),
    "many tokens": Row("2,048 tokens in turn: requests", PER_S, at_least=4),
    "new RS256": Row("each token new, RS256: requests", PER_S, at_least=1.2),
    "new ES256": Row("each token new, ES256: requests", PER_S, at_least=1.05),
    "check RS256": Row("checking one RS256 token", US, at_most=1.2),
    "check EdDSA": Row("checking one EdDSA token", US, at_most=1.2),
    "auth on": Row("authentication on, one token: requests", PER_S, at_least=0.88, stretch=0.92),
    "task cpu": Row("`GET /v1/tasks/{id}`, one token: CPU a request", US, at_most=3, stretch=2),
    "tls": Row("TLS kept alive: requests", PER_S, at_least=0.9, stretch=1, needs="TLS"),
    "workflow p50": Row("four steps in a line, create → complete, idle: p50", MS, at_most=3, syncs=15, absolute=True),
    "workflow p99": Row("four steps in a line, create → complete, idle: p99", MS, absolute=True),
    "ready to start": Row("step ready → its handler starts, idle: p50", MS, at_most=1, syncs=1, absolute=True),
    "ready to start p99": Row("step ready → its handler starts, idle: p99", MS, absolute=True),
    "creates bare": Row("tasks created (4 steps), SQLite FULL", PER_S, at_least=0.5, stretch=0.7),
    "creates bullmq": Row("tasks created, beside jobs added", PER_S, stretch=1),
    "creates graphile": Row("tasks created, beside jobs added", PER_S),
    "creates pg-boss": Row("tasks created, beside jobs added", PER_S),
    "sink steps": Row("steps claimed and finished, workers that do nothing", PER_S),
    "steps bullmq": Row(STEPS, PER_S, at_least=1, stretch=1.5),
    "steps dbos": Row(STEPS, PER_S, at_least=10),
    "steps graphile": Row(STEPS, PER_S),
    "steps graphile batched": Row(STEPS, PER_S),
    "steps pg-boss": Row(STEPS, PER_S),
    "steps postgresql": Row("steps completed, PostgreSQL, beside graphile-worker", PER_S, at_least=3, needs="PostgreSQL"),
    "steps postgresql batched": Row("steps completed, PostgreSQL, beside graphile-worker batched", PER_S, at_least=0.5,
                                    stretch=1, needs="PostgreSQL"),
    "idle": Row("private dirty, orchestration, idle", MB, at_most=4, absolute=True),
    "idle worker": Row("private dirty, worker, idle", MB, at_most=4, absolute=True),
    "crowd": Row("private dirty, 2,000 idle connections", MB, at_most=12, absolute=True),
    "connection": Row("an idle connection", "{:,.0f} B", at_most=4096, stretch=1024, absolute=True),
    "tls connection": Row("an idle connection with TLS", "{:,.0f} B", at_most=16384, absolute=True, needs="TLS"),
    "start": Row("exec → ready, empty store", "{:.0f} ms", at_most=50, absolute=True),
    "p99": Row("p99, 64 connections", MS, at_most=0.5),
    "p99 crowd": Row("p99, 1,000 connections", MS, at_most=0.5),
    "overload": Row("twice as many creates as it can take: created, beside its peak", PER_S, at_least=0.9),
    "overload refusal": Row("a refused create meanwhile is told so: p99", MS, absolute=True),
    "overload leases": Row("leases of steps at work lost meanwhile", "{:.0f}", at_most=0, absolute=True),
    "claim 100k": Row("claiming a step, 100,000 tasks stored", US, at_most=1.5),
    "finish 100k": Row("finishing a step, 100,000 tasks stored", US, at_most=1.5),
    "claim 1m": Row("claiming a step, 1,000,000 tasks stored", US, at_most=1.5),
    "finish 1m": Row("finishing a step, 1,000,000 tasks stored", US, at_most=1.5),
}
