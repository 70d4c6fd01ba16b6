#!/usr/bin/env bash
# Builds one of the guests that insist on WASI into a file:
#     build.sh python|javascript|rust ../../../target/guests/wasi-python.wasm
# Does nothing when that file is newer than everything it is made of.
set -euo pipefail

die() {
    echo "build.sh (wasi): $*" >&2
    exit 1
}

[ $# -eq 2 ] && [ -n "$2" ] || die "give a language and the path of the component to write"
language=$1
output=$2

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
wit=$root/guest-sdk/wit
target=${CARGO_TARGET_DIR:-$root/target}
[ -d "$here/$language" ] || die "there is no guest in $language"

stale() {
    [ -s "$output" ] || return 0
    [ -n "$(find "$here/$language" -type f -newer "$output")" ] ||
        [ -n "$(find "$wit" -name '*.wit' -newer "$output")" ]
}
[ "$language" = rust ] || stale || exit 0

# Installs the tools of the guest that does without WASI, and says where they are.
tools_of() {
    bash "$here/../$1/build.sh" "$target/guests/$1.wasm" >&2
    local tools
    tools=$(ls -d "$target/guests/$1/$2"-* 2>/dev/null | head -n 1)
    [ -n "$tools" ] || die "the tools of $1 are not where its build.sh installs them"
    echo "$tools"
}

mkdir -p "$(dirname "$output")" "$target/guests"
scratch=$(mktemp -d "$target/guests/wasi.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

case $language in
python)
    tools=$(tools_of python venv)
    mkdir "$scratch/source"
    cp "$here/python/app.py" "$scratch/source"
    VIRTUAL_ENV=$tools "$tools/bin/python" -c 'from componentize_py import script; script()' \
        --wit-path "$wit" --world migration componentize --python-path "$scratch/source" \
        --output "$scratch/guest.wasm" app >"$scratch/log" 2>&1 || {
        cat "$scratch/log" >&2
        die "componentize-py failed"
    }
    ;;
javascript)
    tools=$(tools_of javascript tools)
    node "$tools/node_modules/componentize-qjs/bin/componentize-qjs" \
        --wit "$wit" --world migration --js "$here/javascript/guest.js" --module-root "$here/javascript" --sync \
        --output "$scratch/guest.wasm" >"$scratch/log" 2>&1 || {
        cat "$scratch/log" >&2
        die "componentize-qjs failed"
    }
    ;;
rust)
    cargo build --quiet --release --target wasm32-wasip2 --manifest-path "$here/rust/Cargo.toml"
    cp "$target/wasm32-wasip2/release/guest_wasi.wasm" "$scratch/guest.wasm"
    ;;
esac
mv "$scratch/guest.wasm" "$output"
