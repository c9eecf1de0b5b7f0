"""The peers: who they are, how they start, and which versions they have. Their programs and files are in peers/."""
import base64
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import tempfile

from machine import Failed, call, first_line, free_port, numbers, stop, until
from rig import HERE, ROOT

MODULES = ROOT / "build" / "bench-peers"  # where npm puts what peers/package-lock.json names
NPM_FILES = ("package.json", "package-lock.json", ".npmrc")
PACKAGES = ("fastify", "@fastify/jwt", "fast-jwt", "bullmq", "graphile-worker", "pg-boss", "@dbos-inc/dbos-sdk")
DEBIAN = ("libapache2-mod-oauth2", "python3-fastapi", "uvicorn", "python3-jwt", "redis-server", "postgresql-15")


# ---- over HTTP ----

def nginx(bench):
    port = free_port()
    return bench.listening("nginx", ["nginx", "-p", bench.dir, "-c", bench.filled("nginx.conf", PORT=port)], port)


def haproxy(bench):
    """(process, port that checks RS256, port that checks ES256)."""
    port, second = free_port(), free_port()
    config = bench.filled("haproxy.cfg", PORT=port, NEXT=second)
    return *bench.listening("haproxy", ["haproxy", "-f", config], port), second


def fastify(bench):
    port = free_port()
    command = [*node("fastify.mjs"), port, bench.dir / "users-rsa.pem"]
    return bench.listening("fastify", command, port)


def fastapi(bench):
    port = free_port()
    command = ["/usr/bin/python3", "-B", "-m", "uvicorn", "fastapi_app:app", "--app-dir", HERE / "peers", "--port", port,
               "--no-access-log", "--log-level", "error"]
    return bench.listening("fastapi", command, port, env={**os.environ, "KEY": str(bench.dir / "users-rsa.pem")})


def apache(bench):
    """Its workers are www-data, who sees a folder of their own and not ours."""
    place, port = outside(bench, "www-data"), free_port()
    (place / "www" / "v1").mkdir(parents=True)
    (place / "www" / "v1" / "whoami").write_text("hello world\n")
    jwk = json.dumps(json.dumps(public_jwk(bench.dir / "users-rsa.pem")))
    config = bench.filled("apache.conf", PLACE=place, PORT=port, JWK=jwk)
    return bench.listening("apache", ["apache2", "-D", "FOREGROUND", "-f", config], port)


def public_jwk(pem: pathlib.Path) -> dict:
    """An RSA key as mod_oauth2 takes it, which reads no PEM."""
    text = call(["openssl", "rsa", "-pubin", "-noout", "-modulus", "-in", pem])
    modulus = bytes.fromhex(text.partition("=")[2].strip())
    n = base64.urlsafe_b64encode(modulus).rstrip(b"=").decode()
    return {"kty": "RSA", "kid": "bench", "use": "sig", "alg": "RS256", "n": n, "e": "AQAB"}


# ---- queues ----

@contextlib.contextmanager
def redis(bench):
    """A server with its own folder while the block runs: its port. Its log is synced each second, not each change."""
    port = free_port()
    options = ["--bind", "127.0.0.1", "--port", port, "--dir", bench.fresh("redis"), "--save", ""]
    process = bench.run(["redis-server", *options, "--appendonly", "yes", "--appendfsync", "everysec"], log="redis.log")
    try:
        until(lambda: socket.create_connection(("127.0.0.1", port)).close(), process)
        yield port
    finally:
        stop(process)


class Postgres:
    """A cluster of its own, started for a block at a time. It refuses root, so root gives it to another user."""

    def __init__(self, bench):
        self.bench, self.databases = bench, 0
        versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
        if not versions:
            raise Failed("PostgreSQL is not installed")
        self.bin, self.place = versions[-1], outside(bench, "postgres")
        self.run("initdb", "-U", "bench", "-A", "trust", "-D", self.place / "data")

    def run(self, program, *args) -> None:
        call([*as_user("postgres"), self.bin / program, *args], cwd=self.place)

    def ready(self) -> bool:
        with contextlib.suppress(Failed):
            self.run("pg_isready", "-q", "-h", self.place)
            return True
        return False

    @contextlib.contextmanager
    def database(self):
        """A new database on a running server: what a client's environment is to hold."""
        self.databases += 1
        name = f"bench{self.databases}"
        options = ["-D", self.place / "data", "-k", self.place, "-c", "listen_addresses="]
        process = self.bench.run([*as_user("postgres"), self.bin / "postgres", *options], cwd=self.place, log="postgres.log")
        try:
            until(self.ready, process, seconds=30, pause=0.05)
            self.run("createdb", "-h", self.place, "-U", "bench", name)
            yield {"PGHOST": str(self.place), "PGUSER": "bench", "PGDATABASE": name}
        finally:
            process.send_signal(signal.SIGINT)  # SIGTERM would wait for clients to leave
            stop(process)


def outside(bench, user: str) -> pathlib.Path:
    """A folder that user may reach, removed at the end; anybody's where this is not root."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="tasker-bench-", dir="/var/tmp"))
    bench.afterwards.callback(shutil.rmtree, place, ignore_errors=True)
    if os.geteuid() == 0:
        place.chmod(0o755)
        try:
            shutil.chown(place, user)
        except LookupError:
            raise Failed(f"there is no user {user}") from None
    return place


def as_user(user: str) -> list:
    """What goes before a command that is not to run as root."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if os.geteuid() == 0 else []


# ---- npm ----

def node(script: str) -> list:
    """The command that runs a program of peers/, after npm has fetched what the lock file names, if it has not."""
    MODULES.mkdir(parents=True, exist_ok=True)
    if not (MODULES / "node_modules" / ".package-lock.json").exists() or any(stale(name) for name in NPM_FILES):
        for name in NPM_FILES:
            shutil.copyfile(HERE / "peers" / name, MODULES / name)
        print("  npm fetches the peers ...", flush=True)
        try:
            call(["npm", "ci", "--ignore-scripts", "--silent"], seconds=300, cwd=MODULES)
        except Failed:
            (MODULES / "package.json").unlink()  # half an installation is none
            raise
    for program in (HERE / "peers").glob("*.mjs"):
        shutil.copyfile(program, MODULES / program.name)
    return ["node", MODULES / script]


def stale(name: str) -> bool:
    installed = MODULES / name
    return not installed.exists() or installed.read_bytes() != (HERE / "peers" / name).read_bytes()


def queue(script: str, seconds: float, env: dict, *args) -> dict:
    """What a queue's program measured: {"creates": ..., "steps": ...} a second."""
    command = [*node(script), seconds, *args]
    found = numbers(call(command, seconds=20 * seconds + 60, env={**os.environ, **env}))
    if not found:
        raise Failed(f"{script} said nothing")
    return found


# ---- versions ----

def versions() -> list:
    """What of all this is here: ["nginx/1.22.1", ...]."""
    own = [first_line("nginx", "-v").replace("nginx version: ", ""),
           re.sub(r"HAProxy version ([^ ]+).*", r"HAProxy \1", first_line("haproxy", "-v")),
           re.sub(r" \[.*", "", first_line("wrk", "--version")), first_line("openssl", "version").split(" (")[0],
           "node " + first_line("node", "--version")]
    others = [first_line("dpkg-query", "-W", "-f", "${Package} ${Version}", name) for name in DEBIAN]
    others += [npm_version(name) for name in PACKAGES]
    return [text for text in own if text] + [text for text in others if " " in text and "no packages" not in text]


def npm_version(name: str) -> str:
    with contextlib.suppress(OSError, ValueError):
        return f"{name} " + json.loads((MODULES / "node_modules" / name / "package.json").read_text())["version"]
    return ""
