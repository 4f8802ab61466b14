#!/bin/sh
# Builds the container from a static binary with buildah, which needs no engine of containers, and
# sees that it runs. Says so and stops with 77 where buildah is missing.
#
#     packaging/container.sh [--binary PATH] [NAME]
#
# --binary takes a static binary that is there already.
set -eu

binary=
if [ "${1:-}" = --binary ]; then
    binary=${2:?--binary needs a path}
    shift 2
fi
name=${1:-bary}
here=$(cd "$(dirname "$0")" && pwd)

if ! command -v buildah >/dev/null 2>&1; then
    echo "SKIPPED: the container was not built, since buildah is not installed" >&2
    exit 77
fi
if [ -z "$binary" ]; then
    host=$(rustc -vV | sed -n 's/^host: //p')
    # Only with a target named does the flag keep away from what builds the program.
    RUSTFLAGS='-C target-feature=+crt-static' \
        cargo build --release --locked --package bary-cli --bin bary --target "$host" \
        --manifest-path "$here/../Cargo.toml"
    target=$(cargo metadata --no-deps --format-version 1 --manifest-path "$here/../Cargo.toml" |
        sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
    binary=$target/$host/release/bary
fi
if ldd "$binary" 2>/dev/null | grep -q '=>'; then
    echo "packaging/container.sh: $binary is not static" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$binary" "$work/bary"
cp "$here/Containerfile" "$work/Containerfile"
buildah build --isolation chroot --tag "$name" "$work"

container=$(buildah from "$name")
trap 'buildah rm "$container" >/dev/null; rm -rf "$work"' EXIT
said=$(buildah run --isolation chroot "$container" -- /bary --version)
echo "built $name: $said"
