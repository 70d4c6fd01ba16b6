#!/bin/sh
# Tests the migration, makes a component of it, and puts it into the chain. Needs Node.js 20 or later, with npm.
set -eu
cd "$(dirname "$0")"
[ -d node_modules ] || npm install --ignore-scripts --no-audit --no-fund --loglevel=error
asc=node_modules/.bin/asc
$asc trim.ts --runtime incremental --exportRuntime --bindings esm -o build/trim.wasm
node --test trim.test.js
$asc migration.ts -O3 --runtime incremental --debug --use abort=whimbrel/assembly/host/abort -o build/migration.core.wasm
"${WHIMBREL:-whimbrel}" componentize build/migration.core.wasm \
    --language AssemblyScript --tool "asc 0.28.20" --output "{{migrations}}/{{stem}}.wasm"
cp {{stem}}.toml "{{migrations}}/{{stem}}.toml"
