#!/usr/bin/env bash
# Installs the build in $BUILD to $DESTDIR$PREFIX: see `make install`.
set -eu
cd "$(dirname "$0")/.."
: "${BUILD:?}" "${PREFIX:=/usr/local}"
root=${DESTDIR:-}$PREFIX
library=$root/lib/flowcep
command -v patchelf >/dev/null || { echo "install: patchelf is missing; please run: make deps" >&2; exit 1; }
[ -x "$BUILD/flowcep" ] || { echo "install: there is no $BUILD/flowcep; please run: make build" >&2; exit 1; }

install -d "$root/bin" "$library/plugins" "$library/swift" "$root/share/flowcep" "$root/include/flowcep" "$root/etc/flowcep"
install -m 755 "$BUILD/flowcep" "$root/bin/flowcep"
install -m 755 "$BUILD"/libflowcep-*.so "$library/plugins/"

# Swift's runtime: those of the libraries in use that come from the toolchain, found relative to what needs them.
toolchain=$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")/lib/swift/linux
for object in "$BUILD/flowcep" "$BUILD"/libflowcep-*.so; do
  ldd "$object" | awk -v folder="$toolchain/" 'index($3, folder) == 1 { print $3 }'
done | sort -u | while read -r runtime; do
  install -m 755 "$runtime" "$library/swift/"
done
patchelf --set-rpath '$ORIGIN/../lib/flowcep/swift' "$root/bin/flowcep"
for plugin in "$library"/plugins/*.so; do patchelf --set-rpath '$ORIGIN/../swift' "$plugin"; done

for folder in config/elements queries config/elastic; do
  name=$(basename "$folder")
  rm -rf "$root/share/flowcep/$name"
  cp -R "$folder" "$root/share/flowcep/$name"
done
install -m 644 Sources/PluginABI/include/flowcep/*.h "$root/include/flowcep/"
if [ -e "$root/etc/flowcep/startup.xml" ]; then
  echo "kept $root/etc/flowcep/startup.xml as it is"
else
  install -m 644 config/startup.xml "$root/etc/flowcep/startup.xml"
fi
echo "installed flowcep in $root"
