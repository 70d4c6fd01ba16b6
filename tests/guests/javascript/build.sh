#!/usr/bin/env bash
# Builds the JavaScript fixture into the file given as argument:
#     build.sh ../../../target/guests/javascript/guest.wasm
# Does nothing when that file is newer than everything it is made of. The tools go under the workspace's target folder.
set -euo pipefail

die() {
    echo "build.sh (javascript): $*" >&2
    exit 1
}

[ $# -eq 1 ] && [ -n "$1" ] || die "give the path of the component to write, and nothing else"
output=$1

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
wit=$root/guest-sdk/wit
work=${CARGO_TARGET_DIR:-$root/target}/guests/javascript

stale() {
    [ -s "$output" ] || return 0
    [ -n "$(find "$here" -type f ! -name README.md -newer "$output")" ] ||
        [ -n "$(find "$wit" -name '*.wit' -newer "$output")" ]
}
stale || exit 0

command -v node >/dev/null || die "node is missing: install Node.js 18 or later (https://nodejs.org)"
command -v npm >/dev/null || die "npm is missing: it comes with Node.js (https://nodejs.org)"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)' ||
    die "node $(node --version) is too old: install Node.js 18 or later"

mkdir -p "$work" "$(dirname "$output")"
work=$(cd "$work" && pwd)
scratch=$(mktemp -d "$work/build.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# One folder per lock file, moved into place when complete: two builds at once cannot meet a half-installed one.
# Not `npm ci`: the package names bindings that were never published for some platforms, and npm refuses a lock file
# without them. `npm install` keeps to the locked versions and their digests just as well.
tools=$work/tools-$(cat "$here/package.json" "$here/package-lock.json" | cksum | tr ' ' '-')
if [ ! -d "$tools" ]; then
    mkdir "$scratch/tools"
    cp "$here/package.json" "$here/package-lock.json" "$scratch/tools"
    (cd "$scratch/tools" && npm install --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error >&2) ||
        die "npm could not install what package-lock.json names"
    mv "$scratch/tools" "$tools" 2>/dev/null || [ -d "$tools" ] || die "cannot write $tools"
fi

node "$tools/node_modules/componentize-qjs/bin/componentize-qjs" \
    --wit "$wit" --world reversible --js "$here/guest.js" --module-root "$here" --sync --stub-wasi \
    --output "$scratch/guest.wasm" >"$scratch/log" 2>&1 || {
    cat "$scratch/log" >&2
    die "componentize-qjs failed"
}
mv "$scratch/guest.wasm" "$output"
