#!/usr/bin/env python3
"""The demo's handlers: run by the worker as a persistent process (docs/handlers.md)."""
import time

from tasker_handler import Failure, handler, run


def number(value):
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else 6


@handler("demo.echo")
def echo(step):
    print("echo of", step.frame["step"])
    return {"greeting": step.config.get("greeting", "hello"), "input": step.input}


@handler("demo.greet")
def greet(step):
    return {"greeting": "hello " + str(step.input.get("who", "world"))}


@handler("demo.start")
def start(step):
    return {"number": number(step.input.get("number")) ** 2}


@handler("demo.left")
def left(step):
    return {"number": step.results["start"]["number"] + step.config.get("add", 0)}


@handler("demo.right")
def right(step):
    return {"number": step.results["start"]["number"] * step.config.get("times", 1)}


@handler("demo.join")
def join(step):
    numbers = [result["number"] for result in step.results.values()]
    return {"mean": sum(numbers) / len(numbers)}


@handler("demo.sleep")
def sleep(step):
    """Sleeps input.ms, says how far it is, and stops when it is cancelled."""
    total = max(0, number(step.input.get("ms", 100))) / 1000
    until = time.monotonic() + total
    while (left_s := until - time.monotonic()) > 0:
        step.progress(int(100 * (1 - left_s / total)))
        if step.cancelled.wait(min(left_s, 0.5)):
            return {"slept_ms": int(1000 * (total - left_s))}
    return {"slept_ms": int(1000 * total)}


@handler("demo.fail")
def fail(step):
    """Fails input.times times, for good with input.permanent; then succeeds."""
    if step.input.get("permanent") or step.attempt <= number(step.input.get("times", 1)):
        raise Failure("DEMO_FAILURE", "asked to fail", retryable=not step.input.get("permanent"))
    return {"attempt": step.attempt}


if __name__ == "__main__":
    run(slots=8)
