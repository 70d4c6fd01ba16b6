"""What the host gives: there inside a component, and absent in unit tests."""

from __future__ import annotations

import importlib
from typing import Any

types: Any = None
log: Any = None
world: Any = None
Err: Any = None

try:
    world = importlib.import_module("wit_world")
    log = importlib.import_module("wit_world.imports.log")
    types = importlib.import_module("wit_world.imports.types")
    Err = importlib.import_module("componentize_py_types").Err
except ImportError:
    pass
