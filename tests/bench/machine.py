"""Processes, their cost as /proc tells it, and whether they answer."""
import contextlib
import os
import pathlib
import re
import socket
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A contender that could not be measured; the text says why."""


def children(pid: int) -> list:
    """pid and everything below it."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text().split():
                found += children(int(child))
    return found


def cpu_of(pid: int) -> float:
    """Processor seconds of pid and everything below it, so far."""
    total = 0
    for each in children(pid):
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / TICK


def dirty_of(pid: int) -> int:
    """Private dirty KiB of pid alone."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"Private_Dirty:\s+(\d+) kB", text).group(1))


def machine_busy() -> float:
    """Processor seconds this machine has spent on anything."""
    fields = [int(n) for n in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICK


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def reply_from(port: int, path: str = "/health/live", token: str = "", keep: bool = False):
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


def until(ready, process, seconds: float = 10, pause: float = 0.0005) -> None:
    """Waits until ready() neither says no nor is refused by what process is to offer."""
    name, end = pathlib.Path(str(process.args[0])).name, time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if ready() is not False:
                return
        if process.poll() is not None:
            raise Failed(f"{name} ended with {process.returncode}")
        time.sleep(pause)
    raise Failed(f"{name} does not answer")


def stop(process) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def call(command, seconds: float = 120, fine=(0,), **more) -> str:
    """Runs a command to its end; its output. Another end than a fine one, or a later one, is Failed with its last words."""
    command = [str(word) for word in command]
    name = pathlib.Path(command[0]).name
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds, **more)
    except FileNotFoundError:
        raise Failed(f"{name} is not installed") from None
    except subprocess.TimeoutExpired:
        raise Failed(f"{name} took more than {seconds:g} s") from None
    if run.returncode not in fine:
        raise Failed(f"{name}: {last_words(run.stderr or run.stdout) or f'ended with {run.returncode}'}")
    return run.stdout


def last_words(text: str) -> str:
    """The end of a log as one line."""
    return " ".join(text.split())[-300:]


def first_line(*command) -> str:
    """What a program says first about itself; nothing where it does not exist."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return (run.stdout + run.stderr).strip().split("\n")[0]


def numbers(text: str) -> dict:
    """{"creates": 1234.5} of lines such as "creates 1234.5"."""
    return {word: float(n) for word, n in re.findall(r"^(\w+) ([\d.]+)$", text, re.M)}
