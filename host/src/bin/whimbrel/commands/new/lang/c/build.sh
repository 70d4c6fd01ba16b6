#!/bin/sh
# Tests the migration, makes a component of it, and puts it into the chain. Needs zig 0.17.1, as a C compiler:
#     pip install ziglang==0.17.1
set -eu
cd "$(dirname "$0")"
if [ -n "${ZIG:-}" ]; then :; elif command -v zig >/dev/null; then ZIG=zig; else ZIG="python3 -m ziglang"; fi
mkdir -p build
$ZIG cc -O1 -UNDEBUG -std=c11 -Wall -Wextra -o build/test test.c trim.c whimbrel/packed.c
./build/test
$ZIG cc --target=wasm32-wasi -mexec-model=reactor -Os -g -std=c11 -Wall -Wextra -DWHIMBREL_UP {{define}}\
    -o build/migration.core.wasm migration.c trim.c whimbrel/packed.c whimbrel/whimbrel.c whimbrel/bindings/bindings.c
"${WHIMBREL:-whimbrel}" componentize build/migration.core.wasm \
    --language C --tool "zig cc $($ZIG version)" --output "{{migrations}}/{{stem}}.wasm"
cp {{stem}}.toml "{{migrations}}/{{stem}}.toml"
