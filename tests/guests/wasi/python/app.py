"""Asks everything the world could tell, and writes down the answers."""

import datetime
import os
import random
import secrets
import socket
import sys
import time
import uuid

import wit_world
from wit_world.imports.types import Value_Text


def failure(action):
    """The name of the exception, or what was not refused."""
    try:
        return f"allowed: {action()!r}"
    except Exception as error:
        return type(error).__name__


def waited(seconds):
    before = time.monotonic()
    time.sleep(seconds)
    return time.monotonic() - before


def loops(seconds):
    """How often a loop that waits for the clock goes round."""
    end = time.monotonic() + seconds
    rounds = 0
    while time.monotonic() < end:
        rounds += 1
    return rounds


def answers():
    yield "time", time.time()
    yield "today", datetime.datetime.now(datetime.timezone.utc).isoformat()
    yield "local", datetime.datetime.now().isoformat()
    yield "waited", f"{waited(3600):.3f}"
    yield "loops", loops(1)
    yield "environment", dict(os.environ)
    yield "arguments", sys.argv[1:]
    yield "folder", failure(os.getcwd)
    yield "random", random.random()
    yield "urandom", os.urandom(12).hex()
    yield "uuid", uuid.uuid4()
    yield "secret", secrets.token_hex(4)
    yield "hash", hash("whimbrel")
    yield "set", ",".join({"a", "b", "c", "d", "e"})
    yield "stdin", repr(sys.stdin.read())
    yield "open", failure(lambda: open("/etc/passwd"))
    yield "write", failure(lambda: open("left-behind", "w"))
    yield "list", failure(lambda: os.listdir("/"))
    yield "socket", failure(lambda: socket.socket())
    yield "nan", float("inf") - float("inf")


class WitWorld(wit_world.WitWorld):
    def up(self, db, ctx):
        params = dict(ctx.params)
        print("printed", "and", "said", end="")
        print(" in one line\nand a second one")
        print("complained", file=sys.stderr)
        db.execute("CREATE TABLE told (what TEXT PRIMARY KEY, answer TEXT)", [])
        with db.prepare("INSERT INTO told VALUES (?, ?)") as insert:
            for what, answer in answers():
                insert.execute([Value_Text(what), Value_Text(str(answer))])
        if "exit" in params:
            os._exit(int(params["exit"]))
        if "fail" in params:
            raise RuntimeError("nobody catches this")
        print("not ended", end="")
        sys.stdout.flush()
