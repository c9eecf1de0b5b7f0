"""The folder of a run, our daemons in it, and the loads put on whoever listens."""
import contextlib
import pathlib
import re
import resource
import shutil
import subprocess
import time

from machine import Failed, call, cpu_of, last_words, machine_busy, reply_from, stop, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "bench"
CONNECTIONS, CROWD = 64, 1000


class Load:
    """What wrk saw and what the server spent."""

    def __init__(self, cpu, requests, seconds, bad, errors, p50, p99):
        self.cpu, self.requests, self.bad, self.errors = cpu, requests, bad, errors
        self.rate = (requests - bad) / seconds
        self.cpu_us = 1e6 * cpu / max(requests, 1)
        self.p50_ms, self.p99_ms = p50 / 1e3, p99 / 1e3


class Bench:
    """The folder, the programs and everything that runs; ends them all."""

    def __init__(self, options):
        self.bin = pathlib.Path(options.bin).resolve()
        self.dir = pathlib.Path(options.dir).resolve()
        self.seconds, self.rounds, self.growth, self.rows = options.seconds, options.rounds, options.growth, options.row
        self.running, self.noise, self.names, self.afterwards = [], [], {}, contextlib.ExitStack()
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        call([self.bin / "bench_tokens", self.dir])
        self.token = (self.dir / "rs256.tokens").read_text().split("\n", 1)[0]

    def run(self, args, cwd=None, log="peer.log", env=None):
        """Starts a program that close() ends; what it says goes to that file of the folder."""
        with open(self.dir / log, "ab") as out:
            try:
                process = subprocess.Popen([str(a) for a in args], cwd=cwd, stdout=out, stderr=out, env=env)
            except FileNotFoundError:
                raise Failed(f"{args[0]} is not installed") from None
        self.running.append(process)
        return process

    def close(self) -> None:
        for process in reversed(self.running):
            stop(process)
        self.afterwards.close()

    def wanted(self, comparisons) -> list:
        """Those whose rows were asked for; all of them, if none was."""
        return [each for each in comparisons if not self.rows or each[0] in self.rows]

    def fresh(self, name: str) -> pathlib.Path:
        """A new folder: name, name-2, name-3 ..."""
        self.names[name] = self.names.get(name, 0) + 1
        place = self.dir / (name if self.names[name] == 1 else f"{name}-{self.names[name]}")
        place.mkdir()
        return place

    # ---- ours ----

    def daemon(self, name, toml, role="orchestration"):
        """Starts a daemon in a folder of its own; (process, port, seconds until it listened)."""
        place = self.fresh(name)
        config, port_file, log = place / f"{role}.toml", place / "port", f"{place.name}.log"
        config.write_text(toml)
        began = time.monotonic()
        process = self.run([self.bin / "bin" / f"tasker-{role}", "--config", config, "--port-file", port_file],
                           cwd=place, log=log)
        while not (port_file.exists() and port_file.read_text().strip()):
            if process.poll() is not None or time.monotonic() > began + 10:
                raise Failed(f"{place.name} did not start: {last_words((self.dir / log).read_text())}")
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

    def worker(self, name, port, command, slots=4):
        """A worker of the orchestration at port whose only handler is command (an array as TOML)."""
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
slots = {max(slots, 8)}
[log]
access = false
level = "warn"
[[handlers]]
name = "bench"
command = {command}
callables = ["demo.*"]
slots = {slots}
""", role="worker")

    def listening(self, name, command, port, log=None, seconds=15, env=None):
        """Starts a peer that answers HTTP at port; (process, port)."""
        process = self.run(command, log=log or f"{name}.log", env=env)
        try:
            until(lambda: reply_from(port), process, seconds)
        except Failed as e:
            raise Failed(f"{e}: {last_words((self.dir / (log or f'{name}.log')).read_text())}") from None
        return process, port

    def filled(self, name, **words) -> pathlib.Path:
        """A file of peers/ with capitals filled in, in the folder of the run."""
        text = (HERE / "peers" / name).read_text()
        for word, value in {"DIR": self.dir, **words}.items():
            text = text.replace(word, str(value))
        (self.dir / name).write_text(text)
        return self.dir / name

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
        output = call(command, cwd=ROOT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = re.search(r"RESULT (\d+) ([\d.]+) (\d+) (\d+) ([\d.]+) ([\d.]+)", output)
        if found is None:
            raise Failed(last_words(output))
        cpu = cpu_of(process.pid) - cpu
        client = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.noise.append((machine_busy() - busy - cpu - client) / (time.monotonic() - began))
        load = Load(cpu, *(float(n) for n in found.groups()))
        if load.bad and not refusals:
            raise Failed(f"{load.bad:.0f} of {load.requests:.0f} answers of port {port} were refusals")
        return load

    def program(self, name, *args, seconds=120) -> str:
        return call([self.bin / f"bench_{name}", *args], cwd=ROOT, seconds=seconds)
