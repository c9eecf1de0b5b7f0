#!/usr/bin/env python3
"""Measures the daemons beside their peers and prints a table of ratios (docs/performance.md says how and why).

Contenders take turns, round by round, on the same cores with the same tokens; a row is the median of the rounds' ratios.
"""
import argparse
import contextlib
import datetime
import os
import pathlib
import platform
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import textwrap
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "bench"
TICK = os.sysconf("SC_CLK_TCK")
CONNECTIONS, CROWD, IDLE = 64, 1000, 2000
WORKFLOWS, STARTS = 300, 9


# ---- processes ----

class Failed(Exception):
    """A contender that could not be measured; the text says why."""


def children(pid):
    """pid and everything below it."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text().split():
                found += children(int(child))
    return found


def cpu_of(pid):
    """Processor seconds of pid and everything below it, so far."""
    total = 0
    for each in children(pid):
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / TICK


def dirty_of(pid):
    """Private dirty KiB of pid alone."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"Private_Dirty:\s+(\d+) kB", text).group(1))


def machine_busy():
    """Processor seconds this machine has spent on anything."""
    fields = [int(n) for n in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICK


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def reply_from(port, path="/health/live", token=None, keep=False):
    """Sends one GET and returns the socket, once a whole head has come back; closed unless keep."""
    s = socket.create_connection(("127.0.0.1", port), timeout=10)
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    s.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n{bearer}\r\n".encode())
    got = b""
    while b"\r\n\r\n" not in got:
        more = s.recv(65536)
        if not more:
            raise Failed(f"port {port} closed instead of answering {path}")
        got += more
    if not keep:
        s.close()
    return s


def until(port, process, seconds=10):
    """Waits until something answers on port."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(ConnectionRefusedError, ConnectionResetError):
            reply_from(port)
            return
        if process.poll() is not None:
            raise Failed(f"{process.args[0]} ended with {process.returncode}")
        time.sleep(0.0005)
    raise Failed(f"{process.args[0]} does not answer")


def stop(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Bench:
    """The folder, the programs and everything that runs; ends them all."""

    def __init__(self, options):
        self.bin = pathlib.Path(options.bin).resolve()
        self.dir = pathlib.Path(options.dir).resolve()
        self.seconds, self.rounds = options.seconds, options.rounds
        self.running, self.noise = [], []
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        subprocess.run([self.bin / "bench_tokens", self.dir], check=True)
        self.token = (self.dir / "rs256.tokens").read_text().split("\n", 1)[0]
        self.token_ec = (self.dir / "es256.tokens").read_text().split("\n", 1)[0]

    def run(self, args, cwd=None, log="peer.log"):
        with open(self.dir / log, "ab") as out:
            process = subprocess.Popen([str(a) for a in args], cwd=cwd, stdout=out, stderr=out)
        self.running.append(process)
        return process

    def close(self):
        for process in reversed(self.running):
            stop(process)

    # ---- ours ----

    def daemon(self, name, toml, role="orchestration"):
        """Starts a daemon in a folder of its own; (process, port, seconds until it listened)."""
        place = self.dir / name
        place.mkdir()
        config, port_file = place / f"{role}.toml", place / "port"
        config.write_text(toml)
        began = time.monotonic()
        process = self.run([self.bin / "bin" / f"tasker-{role}", "--config", config, "--port-file", port_file],
                           cwd=place, log=f"{name}.log")
        while not (port_file.exists() and port_file.read_text().strip()):
            if process.poll() is not None or time.monotonic() > began + 10:
                raise Failed(f"{name} did not start:\n" + (self.dir / f"{name}.log").read_text()[-2000:])
            time.sleep(0.0002)
        return process, int(port_file.read_text()), time.monotonic() - began

    def orchestration(self, name, threads=1, key="users-rsa.pem", cache=8192, auth=True):
        return self.daemon(name, f"""
[web]
bind_address = "127.0.0.1:0"
threads = {threads}
[web.auth]
enabled = {str(auth).lower()}
jwt_public_key_path = "{self.dir}/{key}"
jwt_allowed_algorithms = ["RS256", "ES256", "ES384"]
token_cache_entries = {cache}
[web.internal]
public_key_path = "{self.dir}/workers.pem"
[templates]
paths = ["{ROOT}/config/templates"]
[store]
url = "sqlite:bench.db"
[log]
access = false
level = "warn"
[limits]
requests_per_connection = 10000000
""")

    def worker(self, name, port):
        return self.daemon(name, f"""
[web]
bind_address = "127.0.0.1:0"
threads = 1
[web.auth]
enabled = true
jwt_public_key_path = "{self.dir}/users-rsa.pem"
[link]
url = "http://127.0.0.1:{port}"
token_path = "{self.dir}/bench-worker.token"
[worker]
id = "bench-worker"
namespaces = ["demo"]
[log]
access = false
level = "warn"
[[handlers]]
name = "python"
command = ["python3", "{ROOT}/config/handlers/demo.py"]
callables = ["demo.*"]
slots = 4
""", role="worker")

    # ---- peers ----

    def peer(self, name, config, *command):
        """Starts a peer with the configuration of that file; (process, port, second port)."""
        port, following = free_port(), free_port()
        text = (HERE / config).read_text()
        text = text.replace("DIR", str(self.dir)).replace("PORT", str(port)).replace("NEXT", str(following))
        (self.dir / config).write_text(text)
        process = self.run([*command, self.dir / config], log=f"{name}.log")
        until(port, process)
        return process, port, following

    def nginx(self):
        return self.peer("nginx", "nginx.conf", "nginx", "-p", self.dir, "-c")

    def haproxy(self):
        return self.peer("haproxy", "haproxy.cfg", "haproxy", "-f")

    # ---- loads ----

    def wrk(self, target, path="/v1/whoami", token=None, script="report.lua", args=(), connections=CONNECTIONS,
            refusals=False, seconds=None):
        """One run against (process, port); a Load."""
        process, port = target[:2]
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds or self.seconds}s", "-s", str(HERE / script)]
        command += ["-H", f"Authorization: Bearer {token}"] if token else []
        command += [f"http://127.0.0.1:{port}{path}", "--", *map(str, args)]
        cpu, busy, began = cpu_of(process.pid), machine_busy(), time.monotonic()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = re.search(r"RESULT (\d+) ([\d.]+) (\d+) (\d+) ([\d.]+) ([\d.]+)", run.stdout)
        if found is None:
            raise Failed(run.stdout + run.stderr)
        cpu = cpu_of(process.pid) - cpu
        client = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.noise.append((machine_busy() - busy - cpu - client) / (time.monotonic() - began))
        load = Load(cpu, *(float(n) for n in found.groups()))
        if load.bad and not refusals:
            raise Failed(f"{load.bad:.0f} of {load.requests:.0f} answers of port {port} were refusals")
        return load

    def program(self, name, *args):
        run = subprocess.run([str(self.bin / f"bench_{name}"), *map(str, args)], cwd=ROOT, capture_output=True,
                             text=True, check=False)
        if run.returncode != 0:
            raise Failed(f"bench_{name}: {run.stderr.strip()}")
        return run.stdout


class Load:
    def __init__(self, cpu, requests, seconds, bad, errors, p50, p99):
        self.cpu, self.requests, self.bad, self.errors = cpu, requests, bad, errors
        self.rate = (requests - bad) / seconds
        self.cpu_us = 1e6 * cpu / max(requests, 1)
        self.p50_ms, self.p99_ms = p50 / 1e3, p99 / 1e3


# ---- the table ----

class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, ours, peer, ratio, budget="", holds=None):
        self.rows.append((what, ours, peer, ratio, budget, {True: "yes", False: "**no**", None: ""}[holds]))
        beside = f" / {peer} = {ratio}" if peer else ""
        judged = f"  (budget {budget}: {self.rows[-1][5]})" if budget else ""
        print(f"  {what}: {ours}{beside}{judged}", flush=True)

    def compare(self, what, ours, peer, measure, unit, at_most=None, at_least=None, peer_name=""):
        """Adds the median of the rounds' ratios of measure(ours) to measure(peer)."""
        ratio = statistics.median(measure(a) / measure(b) for a, b in zip(ours, peer))
        holds, budget = None, ""
        if at_most is not None:
            holds, budget = ratio <= at_most, f"≤ {at_most:g}"
        if at_least is not None:
            holds, budget = ratio >= at_least, f"≥ {at_least:g}"
        self.add(what, cell(ours, measure, unit), f"{cell(peer, measure, unit)} {peer_name}", f"{ratio:.2f}", budget, holds)

    def markdown(self):
        lines = ["| what | ours | peer | ratio | budget | holds |", "|---|---|---|---|---|---|"]
        return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in self.rows])

    def held(self):
        judged = [row for row in self.rows if row[5]]
        return sum(row[5] == "yes" for row in judged), len(judged)


def cell(loads, measure, unit):
    """The median, and beside a rate the CPU time a request: that one does not care who else kept the machine busy."""
    text = unit.format(statistics.median(map(measure, loads)))
    return text + (f" at {statistics.median(map(cpu_us, loads)):.1f} µs" if measure is rate else "")


def rate(load):
    return load.rate


def cpu_us(load):
    return load.cpu_us


def p99(load):
    return load.p99_ms


def requests_per_second(bench, table):
    """whoami and one task, against the peers that answer as little."""
    nginx, haproxy = bench.nginx(), bench.haproxy()
    haproxy_ec = (haproxy[0], haproxy[2])
    ours = bench.orchestration("cached")
    fresh = bench.orchestration("fresh", cache=8)  # 2,048 tokens through 8 places: each is new when it comes
    fresh_ec = bench.orchestration("fresh-ec", key="users-ec.pem", cache=8)
    off = bench.orchestration("auth-off", auth=False)
    task = bench.program("latency", ours[1], bench.dir, 0)  # creates one task and says its path
    rs, ec = bench.dir / "rs256.tokens", bench.dir / "es256.tokens"
    turn = {"script": "tokens.lua"}
    contenders = {
        "nginx": lambda: bench.wrk(nginx, token=bench.token),
        "cached": lambda: bench.wrk(ours, token=bench.token),
        "haproxy": lambda: bench.wrk(haproxy, token=bench.token),
        "off": lambda: bench.wrk(off, token=bench.token),
        "task": lambda: bench.wrk(ours, path=task.strip(), token=bench.token),
        "turn": lambda: bench.wrk(ours, args=[rs], **turn),
        "haproxy turn": lambda: bench.wrk(haproxy, args=[rs], **turn),
        "fresh": lambda: bench.wrk(fresh, args=[rs], **turn),
        "haproxy ec": lambda: bench.wrk(haproxy_ec, args=[ec], **turn),
        "fresh ec": lambda: bench.wrk(fresh_ec, args=[ec], **turn),
        "crowd": lambda: bench.wrk(ours, token=bench.token, connections=CROWD),
        "haproxy crowd": lambda: bench.wrk(haproxy, token=bench.token, connections=CROWD),
    }
    got = {name: [] for name in contenders}
    for _ in range(bench.rounds):
        for name, run in contenders.items():
            got[name].append(run())
    us, per_second, ms = "{:.1f} µs", "{:,.0f}/s", "{:.2f} ms"
    nothing, jwt = "nginx `return 200`", "HAProxy `jwt_verify`"
    table.compare("`GET /v1/whoami`, one token: CPU a request", got["cached"], got["nginx"], cpu_us, us, at_most=1.2,
                  peer_name=nothing)
    table.compare("the same: requests", got["cached"], got["haproxy"], rate, per_second, at_least=5, peer_name=jwt)
    table.compare("2,048 tokens in turn: requests", got["turn"], got["haproxy turn"], rate, per_second, at_least=4,
                  peer_name=jwt)
    table.compare("each token new, RS256: requests", got["fresh"], got["haproxy turn"], rate, per_second,
                  at_least=1.2, peer_name=jwt)
    table.compare("each token new, ES256: requests", got["fresh ec"], got["haproxy ec"], rate, per_second,
                  at_least=1.05, peer_name=jwt)
    table.compare("authentication on, one token: requests", got["cached"], got["off"], rate, per_second,
                  at_least=0.88, peer_name="ours, off")
    table.compare("`GET /v1/tasks/{id}`, one token: CPU a request", got["task"], got["nginx"], cpu_us, us, at_most=3,
                  peer_name=nothing)
    table.compare(f"p99, {CONNECTIONS} connections", got["cached"], got["haproxy"], p99, ms, at_most=0.5,
                  peer_name=jwt)
    table.compare(f"p99, {CROWD:,} connections", got["crowd"], got["haproxy crowd"], p99, ms, at_most=0.5,
                  peer_name=jwt)
    for process in (nginx[0], haproxy[0], ours[0], fresh[0], fresh_ec[0], off[0]):
        stop(process)


def verification(bench, table):
    for line in bench.program("verify").splitlines():
        name, ours, bare = line.split()
        ratio = float(ours) / float(bare)
        table.add(f"checking one {name} token", f"{float(ours):.1f} µs", f"{float(bare):.1f} µs `EVP_DigestVerify`",
                  f"{ratio:.2f}", "≤ 1.2", ratio <= 1.2)


def numbers(text):
    """{"creates": 1234.5} of lines such as "creates 1234.5"."""
    return {word: float(n) for word, n in re.findall(r"^(\w+) ([\d.]+)$", text, re.M)}


def store(bench, table):
    """Creates and steps through HTTP beside the store alone, both on a fresh file."""
    http, bare = {"creates": [], "steps": []}, {"creates": [], "steps": []}
    refused = 0
    for n in range(bench.rounds):
        daemon = bench.orchestration(f"store-{n}", threads=0)
        load = bench.wrk(daemon, script="create.lua", args=[bench.token, n], refusals=True)
        refused += load.bad
        http["creates"].append(load.rate)
        steps, seconds = bench.program("sink", daemon[1], bench.dir, 4, bench.seconds).split()
        http["steps"].append(int(steps) / float(seconds))
        stop(daemon[0])
        alone = bench.dir / f"bare-{n}"
        alone.mkdir()
        found = numbers(bench.program("store", alone, bench.seconds))
        for what, rates in bare.items():
            rates.append(found[what])
    if refused:
        print(f"  {refused:.0f} creates were refused")
    table.compare("tasks created (4 steps), SQLite FULL", http["creates"], bare["creates"], float, "{:,.0f}/s",
                  at_least=0.5, peer_name="the bare store")
    table.compare("steps claimed and finished, handlers that do nothing", http["steps"], bare["steps"], float,
                  "{:,.0f}/s", peer_name="the bare store")


def workflow(bench, table):
    daemon = bench.orchestration("pair")
    worker = bench.worker("pair-worker", daemon[1])
    middle, tail, sync = map(float, bench.program("latency", daemon[1], bench.dir, WORKFLOWS).split())
    for name, ms, budget in (("p50", middle, 15 * sync + 3), ("p99", tail, None)):
        table.add(f"four steps in a line, create → complete, idle: {name}", f"{ms:.2f} ms", f"{sync:.3f} ms fdatasync",
                  f"{ms / sync:.1f}", f"≤ 15 fdatasync + 3 ms = {budget:.2f} ms" if budget else "",
                  ms <= budget if budget else None)
    idle = dirty_of(worker[0].pid)
    table.add("private dirty, worker, after that", f"{idle / 1024:.1f} MB", "", "", "≤ 4 MB", idle <= 4096)
    stop(worker[0])
    stop(daemon[0])


def idle_memory(process, port, token):
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


def memory(bench, table):
    ours, peer = bench.orchestration("memory", threads=0), bench.haproxy()
    before, after = idle_memory(ours[0], ours[1], bench.token)
    peer_before, peer_after = idle_memory(peer[0], peer[1], bench.token)
    each, peer_each = 1024 * (after - before) / IDLE, 1024 * (peer_after - peer_before) / IDLE
    for what, a, b, most in (("idle", before, peer_before, 4), (f"{IDLE:,} idle connections", after, peer_after, 12)):
        table.add(f"private dirty, {what}", f"{a / 1024:.1f} MB", f"{b / 1024:.1f} MB HAProxy", f"{a / b:.2f}",
                  f"≤ {most} MB", a <= most * 1024)
    table.add("an idle connection", f"{each:,.0f} B", f"{peer_each:,.0f} B HAProxy",
              f"{each / peer_each:.2f}" if peer_each > 0 else "", "≤ 4 KB", each <= 4096)
    stop(ours[0])
    stop(peer[0])


def start(bench, table):
    ours, theirs = [], []
    for n in range(STARTS):
        process, port, seconds = bench.orchestration(f"start-{n}", threads=0)
        ours.append(1e3 * seconds)
        stop(process)
        began = time.monotonic()
        process = bench.haproxy()[0]
        theirs.append(1e3 * (time.monotonic() - began))
        stop(process)
    middle, peer = statistics.median(ours), statistics.median(theirs)
    table.add("exec → ready, empty store", f"{middle:.0f} ms", f"{peer:.0f} ms HAProxy", f"{middle / peer:.2f}", "≤ 50 ms",
              middle <= 50)


PARTS = {"http": requests_per_second, "verify": verification, "store": store, "workflow": workflow, "memory": memory,
         "start": start}


# ---- what was measured where ----

def first_line(*command):
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return (run.stdout + run.stderr).strip().split("\n")[0]


def about(bench):
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    commit = first_line("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    versions = [first_line("nginx", "-v").replace("nginx version: ", ""),
                re.sub(r"HAProxy version ([^ ]+).*", r"HAProxy \1", first_line("haproxy", "-v")),
                re.sub(r" \[.*", "", first_line("wrk", "--version")), first_line("openssl", "version").split(" (")[0]]
    text = (f"{datetime.date.today()}, commit {commit}, {cpu.group(1) if cpu else platform.machine()}, {os.cpu_count()} cores, "
            f"Linux {platform.release()}; {', '.join(versions)}. {bench.rounds} rounds of {bench.seconds} s.")
    if bench.noise:
        text += f" Meanwhile other programs kept {max(statistics.median(bench.noise), 0):.2f} cores busy (median of the runs)."
    return "\n".join(textwrap.wrap(text, 120, break_on_hyphens=False))


def record(path, text):
    """Puts text between the page's two marks."""
    before, _, rest = pathlib.Path(path).read_text().partition("<!-- bench -->\n")
    _, mark, after = rest.partition("<!-- /bench -->")
    if not mark:
        raise Failed(f"{path} has no marks for the table")
    pathlib.Path(path).write_text(f"{before}<!-- bench -->\n{text}\n{mark}{after}")


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--bin", required=True, help="the build folder: its bin/ and bench_* are run")
    options.add_argument("--dir", required=True, help="a folder to make anew, on the disk to be measured")
    options.add_argument("--seconds", type=int, default=3)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--only", choices=PARTS, action="append", help="this part; repeatable")
    options.add_argument("--record", help="a document to put the whole table into")
    options = options.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    bench, table, failed = Bench(options), Table(), False
    try:
        for name in options.only or PARTS:
            try:
                PARTS[name](bench, table)
            except Failed as e:
                print(f"bench: {name}: {e}", file=sys.stderr)
                failed = True
    finally:
        bench.close()
    text = about(bench) + "\n\n" + table.markdown()
    print("\n" + text)
    print("\n{} of {} budgets hold".format(*table.held()))
    if options.record and not failed and not options.only:
        record(options.record, text)
    return failed


if __name__ == "__main__":
    sys.exit(main())
