#!/bin/sh
# Checks every file of the kit against SHA256SUMS, and that there is no other. Nothing of the kit runs before that.
set -eu
cd "$(dirname "$(readlink -f "$0")")"
sha256sum --check --strict --quiet SHA256SUMS
listed=$(cut -c67- SHA256SUMS | LC_ALL=C sort)
present=$(find . ! -type d ! -path ./SHA256SUMS | cut -c3- | LC_ALL=C sort)
if [ "$listed" != "$present" ]; then
  echo 'verify: there are files that SHA256SUMS does not list' >&2
  exit 3
fi
echo "verified $(wc -l <SHA256SUMS) files; SHA-256 of SHA256SUMS:"
sha256sum <SHA256SUMS | cut -d' ' -f1
