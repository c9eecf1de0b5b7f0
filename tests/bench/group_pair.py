"""One workflow at a time through the whole pair, and what daemons cost that do nothing."""
import statistics
import time

import peers
from machine import Failed, dirty_of, reply_from, stop
from rig import ROOT, Bench
from table import Table

WORKFLOWS, STARTS, IDLE = 300, 9, 2000


def run_line(bench: Bench, command: str):
    """WORKFLOWS lines of four steps through that handler: (p50, p99, one fdatasync) in ms, and KiB of the worker."""
    daemon = bench.orchestration("line")
    worker = bench.worker("line-worker", daemon[1], command)
    found = [float(n) for n in bench.program("latency", daemon[1], bench.dir, WORKFLOWS).split()]
    dirty = dirty_of(worker[0].pid)
    stop(worker[0])
    stop(daemon[0])
    return *found, dirty


def workflow(bench: Bench, table: Table) -> None:
    p50, p99, sync, dirty = run_line(bench, f'["python3", "{ROOT}/config/handlers/demo.py"]')
    disk = f"{sync:.3f} ms fdatasync"
    table.figure("workflow p50", p50, peer_name=disk, sync=sync)
    table.figure("workflow p99", p99, peer_name=disk)
    table.figure("idle worker", dirty / 1024)
    book = bench.dir / "waits"
    sync = run_line(bench, f'["{bench.bin}/bench_noop", "{book}"]')[2]
    waits = sorted(float(line) / 1000 for line in book.read_text().split())
    if len(waits) < WORKFLOWS:
        raise Failed(f"the handler noted {len(waits)} waits only")
    disk = f"{sync:.3f} ms fdatasync"
    table.figure("ready to start", statistics.median(waits), peer_name=disk, sync=sync)
    table.figure("ready to start p99", waits[len(waits) * 99 // 100], peer_name=disk)


def idle_memory(process, port: int, token: str):
    """KiB before and with IDLE connections that have had one answer each."""
    reply_from(port, "/v1/whoami", token)
    time.sleep(1)
    before, crowd = dirty_of(process.pid), []
    for _ in range(IDLE):
        crowd.append(reply_from(port, "/v1/whoami", token, keep=True))
    time.sleep(0.5)
    after = dirty_of(process.pid)
    for s in crowd:
        s.close()
    return before, after


def memory(bench: Bench, table: Table) -> None:
    ours, peer = bench.orchestration("memory", threads=0), peers.haproxy(bench)
    before, after = idle_memory(ours[0], ours[1], bench.token)
    peer_before, peer_after = idle_memory(peer[0], peer[1], bench.token)
    table.figure("idle", before / 1024, peer_before / 1024, "HAProxy")
    table.figure("crowd", after / 1024, peer_after / 1024, "HAProxy")
    table.figure("connection", 1024 * (after - before) / IDLE, 1024 * (peer_after - peer_before) / IDLE, "HAProxy")
    stop(ours[0])
    stop(peer[0])


def start(bench: Bench, table: Table) -> None:
    ours, theirs = [], []
    for _ in range(STARTS):
        process, _, seconds = bench.orchestration("start", threads=0)
        ours.append(1e3 * seconds)
        stop(process)
        began = time.monotonic()
        process = peers.haproxy(bench)[0]
        theirs.append(1e3 * (time.monotonic() - began))
        stop(process)
    table.figure("start", statistics.median(ours), statistics.median(theirs), "HAProxy")


def verification(bench: Bench, table: Table) -> None:
    for line in bench.program("verify").splitlines():
        name, ours, bare = line.split()
        table.figure(f"check {name}", float(ours), float(bare), "`EVP_DigestVerify`")
