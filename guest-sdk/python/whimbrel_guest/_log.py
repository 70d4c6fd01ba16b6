"""The host's log, and progress."""

from __future__ import annotations

import sys

from . import _host


class _Log:
    def _write(self, level: str, message: object) -> None:
        if _host.log is None:
            print(f"{level.lower()}: {message}", file=sys.stderr)
        else:
            _host.log.write(getattr(_host.log.Level, level), str(message))

    def trace(self, message: object) -> None:
        self._write("TRACE", message)

    def debug(self, message: object) -> None:
        self._write("DEBUG", message)

    def info(self, message: object) -> None:
        self._write("INFO", message)

    def warn(self, message: object) -> None:
        self._write("WARN", message)

    def error(self, message: object) -> None:
        self._write("ERROR", message)


log = _Log()


def progress(done: int, total: int | None = None) -> None:
    """Tell how far the work is: `done` of `total` units of the author's choice."""
    if _host.log is not None:
        _host.log.progress(done, total)
