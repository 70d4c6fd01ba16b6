#!/usr/bin/env bash
# Builds the Python fixture into the file given as argument:
#     build.sh ../../../target/guests/python/guest.wasm
# Does nothing when that file is newer than everything it is made of. The tools go under the workspace's target folder.
set -euo pipefail

die() {
    echo "build.sh (python): $*" >&2
    exit 1
}

[ $# -eq 1 ] && [ -n "$1" ] || die "give the path of the component to write, and nothing else"
output=$1

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
wit=$root/guest-sdk/wit
work=${CARGO_TARGET_DIR:-$root/target}/guests/python

stale() {
    [ -s "$output" ] || return 0
    [ -n "$(find "$here" -type f ! -name README.md -newer "$output")" ] ||
        [ -n "$(find "$wit" -name '*.wit' -newer "$output")" ]
}
stale || exit 0

python=${PYTHON:-python3}
command -v "$python" >/dev/null || die "$python is missing: install Python 3.9 or later, with pip and venv"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' ||
    die "$("$python" --version) is too old: install Python 3.9 or later"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    die "$python has no venv module: install it (Debian and Ubuntu: apt-get install python3-venv)"

mkdir -p "$work" "$(dirname "$output")"
work=$(cd "$work" && pwd)
scratch=$(mktemp -d "$work/build.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# One environment per requirements file, moved into place when complete: two builds at once cannot meet a half-installed
# one. Only its python is used, never a script with a path inside, so that it survives the move.
tools=$work/venv-$(cksum <"$here/requirements.txt" | tr ' ' '-')
if [ ! -d "$tools" ]; then
    "$python" -m venv "$scratch/venv" >&2 || die "$python could not make a virtual environment"
    "$scratch/venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
        --require-hashes -r "$here/requirements.txt" >&2 || die "pip could not install what requirements.txt names"
    mv "$scratch/venv" "$tools" 2>/dev/null || [ -d "$tools" ] || die "cannot write $tools"
fi

# A copy, because the build leaves bytecode beside the source.
mkdir "$scratch/source"
cp "$here/app.py" "$scratch/source"
VIRTUAL_ENV=$tools "$tools/bin/python" -c 'from componentize_py import script; script()' \
    --wit-path "$wit" --world reversible componentize --python-path "$scratch/source" --stub-wasi \
    --output "$scratch/guest.wasm" app >"$scratch/log" 2>&1 || {
    cat "$scratch/log" >&2
    die "componentize-py failed"
}
mv "$scratch/guest.wasm" "$output"
