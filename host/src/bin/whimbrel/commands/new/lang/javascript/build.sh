#!/bin/sh
# Tests the migration, makes a component of it, and puts it into the chain. Needs Node.js 20 or later, with npm.
set -eu
cd "$(dirname "$0")"
[ -d node_modules ] || npm install --ignore-scripts --no-audit --no-fund --loglevel=error
node --test *.test.js
mkdir -p build
node_modules/.bin/esbuild migration.js --bundle --format=esm --platform=neutral --conditions=default --target=es2022 \
    --log-level=warning --alias:@whimbrel/guest=./whimbrel/src/index.js '--external:whimbrel:*' --outfile=build/migration.js
node_modules/.bin/componentize-qjs --wit whimbrel/wit --world {{world}} --js build/migration.js --module-root build \
    --sync --stub-wasi --output build/migration.wasm >build/log 2>&1 || { cat build/log >&2; exit 1; }
"${WHIMBREL:-whimbrel}" componentize build/migration.wasm \
    --language JavaScript --tool "componentize-qjs 0.4.5" --output "{{migrations}}/{{stem}}.wasm"
cp {{stem}}.toml "{{migrations}}/{{stem}}.toml"
