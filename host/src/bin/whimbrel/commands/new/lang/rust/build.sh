#!/bin/sh
# Tests the migration, makes a component of it, and puts it into the chain. Needs Rust 1.95 or later, with rustup or the
# target wasm32-unknown-unknown.
set -eu
cd "$(dirname "$0")"
cargo test --quiet
ls "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib" >/dev/null 2>&1 || rustup target add wasm32-unknown-unknown
cargo build --quiet --release --target wasm32-unknown-unknown
"${WHIMBREL:-whimbrel}" componentize "${CARGO_TARGET_DIR:-target}/wasm32-unknown-unknown/release/{{module}}.wasm" \
    --output "{{migrations}}/{{stem}}.wasm"
cp {{stem}}.toml "{{migrations}}/{{stem}}.toml"
