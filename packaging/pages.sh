#!/bin/sh
# Writes what packages ship besides the binary: completions of the shells and manual pages.
#
#     packaging/pages.sh BINARY DIR
set -eu

binary=${1:?name the binary}
directory=${2:?name the directory to write to}

mkdir -p "$directory/completions" "$directory/man"
"$binary" completions bash >"$directory/completions/bary.bash"
"$binary" completions zsh >"$directory/completions/_bary"
"$binary" completions fish >"$directory/completions/bary.fish"
"$binary" man "$directory/man"
