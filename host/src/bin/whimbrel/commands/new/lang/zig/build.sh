#!/bin/sh
# Tests the migration, makes a component of it, and puts it into the chain. Needs zig 0.17.1:
#     pip install ziglang==0.17.1
set -eu
cd "$(dirname "$0")"
if [ -n "${ZIG:-}" ]; then :; elif command -v zig >/dev/null; then ZIG=zig; else ZIG="python3 -m ziglang"; fi
mkdir -p build
$ZIG test trim.zig
$ZIG build-exe -fno-entry -rdynamic --dep whimbrel \
    -target wasm32-freestanding -O ReleaseSmall -fno-strip -Mroot=migration.zig \
    -target wasm32-freestanding -O ReleaseSmall -fno-strip -Mwhimbrel=whimbrel/whimbrel.zig -femit-bin=build/migration.core.wasm
"${WHIMBREL:-whimbrel}" componentize build/migration.core.wasm \
    --language Zig --tool "zig $($ZIG version)" --output "{{migrations}}/{{stem}}.wasm"
cp {{stem}}.toml "{{migrations}}/{{stem}}.toml"
