"""Tasker handlers in Python, one file without dependencies; docs/handlers.md says how to use it."""
import json
import os
import queue
import threading
import traceback

_handlers, _steps, _lock, _out = {}, {}, threading.Lock(), None


class Failure(Exception):
    def __init__(self, code, message, retryable=True, retry_after_ms=None):
        super().__init__(message)
        self.code, self.retryable, self.retry_after_ms = code, retryable, retry_after_ms


class Step:
    def __init__(self, frame):
        self.frame, self.id, self.cancelled = frame, frame["id"], threading.Event()
        self.input, self.config = frame.get("input") or {}, frame.get("config") or {}
        self.results = {name: d.get("result") for name, d in (frame.get("dependencies") or {}).items()}
        self.attempt, self.idempotency_key = frame["attempt"], frame["idempotency_key"]

    def progress(self, percent, message=""):
        _send(type="progress", id=self.id, percent=percent, message=message)

    def log(self, message, level="info", **fields):
        _send(type="log", id=self.id, level=level, message=message, fields=fields)


def handler(name):
    def register(function):
        _handlers[name] = function
        return function
    return register


def _send(**frame):
    with _lock:  # one line a frame; NaN is not JSON
        _out.write(json.dumps(frame, allow_nan=False) + "\n")
        _out.flush()


def _work(steps):
    for step in iter(steps.get, None):
        try:
            _send(type="result", id=step.id, result=_handlers[step.frame["handler"]](step))
        except Failure as e:
            _send(type="error", id=step.id, code=e.code, message=str(e), retryable=e.retryable,
                  **({"retry_after_ms": e.retry_after_ms} if e.retry_after_ms else {}))
        except Exception as e:  # pylint: disable=broad-except
            traceback.print_exc()
            _send(type="error", id=step.id, code="handler_error", message=repr(e))
        _steps.pop(step.id, None)


def run(slots=1):
    """Serves steps until the worker closes its end; this thread only reads, so pings are answered."""
    global _out
    _out, steps = os.fdopen(4, "w", encoding="utf-8"), queue.Queue()
    workers = [threading.Thread(target=_work, args=(steps,), daemon=True) for _ in range(slots)]
    for worker in workers:
        worker.start()
    _send(type="ready", protocol=1, handlers=sorted(_handlers), slots=slots)
    for line in os.fdopen(3, "r", encoding="utf-8"):
        frame = json.loads(line)
        if frame["type"] == "step":
            _steps[frame["id"]] = step = Step(frame)
            steps.put(step)
        elif frame["type"] == "cancel" and frame["id"] in _steps:
            _steps[frame["id"]].cancelled.set()
        elif frame["type"] == "ping":
            _send(type="pong", n=frame["n"])
    for _ in workers:  # finish what was taken, then leave
        steps.put(None)
    for worker in workers:
        worker.join()
