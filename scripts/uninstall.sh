#!/usr/bin/env bash
# Takes away what install.sh put under $DESTDIR$PREFIX. etc/flowcep is the user's and stays.
set -eu
root=${DESTDIR:-}${PREFIX:-/usr/local}
rm -f "$root/bin/flowcep"
rm -rf "$root/lib/flowcep" "$root/share/flowcep" "$root/include/flowcep"
if [ -d "$root/etc/flowcep" ]; then echo "kept $root/etc/flowcep"; fi
echo "uninstalled flowcep from $root"
