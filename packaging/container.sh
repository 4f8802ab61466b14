#!/bin/sh
# Builds the container with buildah, which needs no engine of containers, and sees that it works: a
# node comes up in it, and runs a task. Says so and stops with 77 where buildah is missing.
#
#     packaging/container.sh [--binary PATH] [NAME]
#     packaging/container.sh --check [--binary PATH]
#
# --binary takes a binary that is there already, instead of building one for release. --check uses
# a storage of its own, and leaves nothing behind.
set -eu

binary= check= name=bary
while [ $# -gt 0 ]; do
    case $1 in
    --binary) binary=${2:?--binary needs a path}; shift ;;
    --check) check=yes ;;
    -*) echo "packaging/container.sh: there is no $1" >&2; exit 2 ;;
    *) name=$1 ;;
    esac
    shift
done
here=$(cd "$(dirname "$0")" && pwd)

if ! command -v buildah >/dev/null 2>&1; then
    echo "SKIPPED: the container was not built, since buildah is not installed" >&2
    exit 77
fi
if [ -z "$binary" ]; then
    cargo build --release --locked --package bary-cli --bin bary \
        --manifest-path "$here/../Cargo.toml"
    target=$(cargo metadata --no-deps --format-version 1 --manifest-path "$here/../Cargo.toml" |
        sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
    binary=$target/release/bary
fi

work=$(mktemp -d)
container= node= by=
leave() {
    [ -z "$node" ] || kill "$node" 2>/dev/null || true
    # What was not begun cannot be removed.
    [ -z "$container" ] || ours rm "$container" >/dev/null || true
    [ -z "$check" ] || ours rmi --all --force >/dev/null || true
    rm -rf "$work"
}
trap leave EXIT
trap 'exit 130' INT TERM

# buildah, in the storage that is meant; in place of this shell where `by` says exec.
ours() {
    if [ -n "$check" ]; then
        set -- --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$@"
    fi
    $by buildah "$@"
}

# A command inside the container.
inside() {
    ours run --isolation chroot "$container" -- "$@"
}

# The binary and each library that the loader would take, at its own path, and a place for
# temporary files. A static binary names none.
image=$work/image
mkdir -p "$image/root/tmp" "$image/state"
chmod 1777 "$image/root/tmp"
chmod 0700 "$image/state"
cp "$binary" "$image/root/bary"
chmod 0755 "$image/root/bary"
if linked=$(ldd "$binary" 2>/dev/null); then
    echo "$linked" | grep -o '/[^ )]*' | while read -r library; do
        mkdir -p "$image/root${library%/*}"
        cp -L "$library" "$image/root$library"
    done
fi
cp "$here/Containerfile" "$image/Containerfile"
ours build --isolation chroot --format docker --tag "$name" "$image"

container=$(ours from "$name")
said=$(inside /bary --version)
# Its first line says that it is up; the pipe ends where it does not come up.
mkfifo "$work/log"
(by=exec && inside /bary up --listen 127.0.0.1:0) >/dev/null 2>"$work/log" &
node=$!
exec 3<"$work/log"
if ! read -r up <&3; then
    echo "packaging/container.sh: no node comes up in the container" >&2
    exit 1
fi
case $up in
*'up at '*) ;;
*) echo "packaging/container.sh: $up" >&2; cat <&3 >&2; exit 1 ;;
esac
ran=$(inside /bary submit --wait -- /bary --version)
kill -TERM "$node"
# How it is told that it was ended differs between versions of buildah.
wait "$node" || true
node=
if ! inside /bary journal verify /state >/dev/null; then
    echo "packaging/container.sh: the node left no good state" >&2
    exit 1
fi
if [ "$ran" != "$said" ]; then
    echo "packaging/container.sh: a task printed '$ran' instead of '$said'" >&2
    exit 1
fi
echo "built $name: $said"
