#!/bin/sh
# Verifies the kit and copies it to a folder (default /opt/secureev), with a link in BIN (default /usr/local/bin).
#
#   ./install.sh [FOLDER [BIN]]
set -eu
here=$(dirname "$(readlink -f "$0")")
folder=${1:-/opt/secureev}
bin=${2:-/usr/local/bin}
if [ -e "$folder" ]; then
  echo "install: $folder is there already; remove it first" >&2
  exit 5
fi
"$here/verify.sh"
mkdir -p "$folder" "$bin"
folder=$(cd "$folder" && pwd)
cp -R "$here/." "$folder"
"$folder/verify.sh" >/dev/null
ln -sf "$folder/secureev" "$bin/secureev"
"$bin/secureev" --version
echo "installed in $folder; $bin/secureev runs it"
