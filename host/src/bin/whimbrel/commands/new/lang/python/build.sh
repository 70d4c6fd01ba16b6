#!/bin/sh
# Tests the migration, makes a component of it, and puts it into the chain. Needs Python 3.10 or later, with venv; the
# tools in requirements.txt go into .venv, unless PYTHON names a Python that has them.
set -eu
cd "$(dirname "$0")"
if [ -z "${PYTHON:-}" ]; then
    [ -d .venv ] || { python3 -m venv .venv && .venv/bin/python -m pip install --quiet -r requirements.txt; }
    PYTHON=$PWD/.venv/bin/python
fi
export PYTHONDONTWRITEBYTECODE=1
PYTHONPATH=.:whimbrel "$PYTHON" -m pytest -q -p no:cacheprovider test_trim.py
mkdir -p build
"$PYTHON" -c 'from componentize_py import script; script()' --wit-path whimbrel/wit --world {{world}} componentize \
    --python-path . --python-path whimbrel --stub-wasi --output build/migration.wasm migration
"${WHIMBREL:-whimbrel}" componentize build/migration.wasm \
    --language Python --tool "componentize-py 0.25.1" --output "{{migrations}}/{{stem}}.wasm"
cp {{stem}}.toml "{{migrations}}/{{stem}}.toml"
