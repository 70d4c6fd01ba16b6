"""How functions become the exports of a component."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from . import _host
from ._log import log
from .transaction import Transaction, Unsent, _raw
from .transform import Context, Failure, Transform, message
from .transform import apply as run_transform

Work = Callable[[Transaction, Context], None]
Check = Callable[[Transaction, Context], bool]


def _context(raw: Any) -> Context:
    return Context(
        raw.chain, raw.version, raw.name, raw.tenant, raw.dry_run, raw.started_at, raw.seed, list(raw.params)
    )


def _tell(error: BaseException) -> str:
    """Say where a mistake was, in the log; return what it was."""
    # By hand: `traceback.format_exception` looks for the source files, and without WASI that is a trap.
    places = [
        f'  File "{frame.f_code.co_filename}", line {line}, in {frame.f_code.co_name}'
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    text = message(error)
    log.error("\n".join(["Traceback (most recent call last):", *places, f"{type(error).__name__}: {error}"]))
    return text


def _call(work: Work, db: Any, ctx: Any) -> None:
    # Whatever is raised must become the contract's error: anything else is a bare trap.
    Unsent.rows = 0
    try:
        work(Transaction(db), _context(ctx))
        if Unsent.rows:
            raise RuntimeError(f"a writer was left with {Unsent.rows} rows that were never sent: call finish")
    except Exception as error:
        raise _host.Err(_tell(error)) from None


def _judge(check: Check) -> Work:
    """Make an answer that is not true an error; no answer is one too, since `query_row` gives None for no row."""

    def judged(tx: Transaction, ctx: Context) -> None:
        answer = check(tx, ctx)
        if hasattr(answer, "__await__"):
            raise RuntimeError("verify is async, and nothing waits for it")
        if not answer:
            raise RuntimeError(f"verify returned {answer!r}")

    return judged


def _base(verify: Check | None) -> Any:
    """Make the class that others are derived from: the world's, with the export `verify` if there is one."""
    world: Any = getattr(_host.world, "WitWorld", object)
    # Found when the component is made: a check that is left out would look like one that holds.
    if _host.world is not None and verify is not None and not hasattr(world, "verify"):
        raise TypeError("the world has no verify: build it with --world verified-migration, or another verified one")
    if _host.world is not None and verify is None and hasattr(world, "verify"):
        raise TypeError("the world has verify, and there is none: give it as verify=...")
    if verify is None:
        return world
    check = _judge(verify)

    class Verified(world):  # type: ignore[misc]
        def verify(self, db: Any, ctx: Any) -> None:
            _call(check, db, ctx)

    return Verified


def export(up: Work, down: Work | None = None, *, verify: Check | None = None) -> Any:
    """Make the class `WitWorld` that componentize-py looks for: `WitWorld = export(up, down)`.

    `verify` looks whether the work is as it should be, with a transaction that only reads. The step is undone unless it
    returns something true, as in a script.
    """

    class Exported(_base(verify)):  # type: ignore[misc]
        def up(self, db: Any, ctx: Any) -> None:
            _call(up, db, ctx)

        def down(self, db: Any, ctx: Any) -> None:
            if down is None:
                raise _host.Err("this migration cannot be reverted")
            _call(down, db, ctx)

    return Exported


def export_transform(each: Transform, *, verify: Check | None = None) -> Any:
    """Make the class `WitWorld` of a function that transforms one row: `WitWorld = export_transform(each)`.

    `verify` is that of `export`, asked after the last row.
    """

    class Exported(_base(verify)):  # type: ignore[misc]
        def apply(self, input: Any, ctx: Any) -> Any:
            try:
                return _raw(run_transform(each, input, _context(ctx)))
            except Failure as failure:
                raise _host.Err(_failure(failure.row, message(failure.cause))) from None
            except Exception as error:
                raise _host.Err(_failure(None, _tell(error))) from None

    return Exported


def _failure(row: int | None, text: str) -> Any:
    import importlib

    for name in ("wit_world.imports.rows", "wit_world"):
        try:
            found = getattr(importlib.import_module(name), "Failure", None)
        except ImportError:
            continue
        if found is not None:
            return found(row, text)
    return text
