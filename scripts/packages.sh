#!/usr/bin/env bash
# packages.sh check|install [build]
# Looks for the Debian packages that FlowCEP needs: with `build` those for building, without also those for testing and installing.
# `check` fails with the line to paste when one is missing; `install` installs it where that is possible.
set -eu
packages="libxml2-dev libzmq3-dev libssl-dev libmicrohttpd-dev pkg-config"
[ "${2:-}" = build ] || packages="$packages gcc make patchelf openssl rsyslog prometheus"

missing=
if command -v dpkg-query >/dev/null; then
  for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q ' installed$' || missing="$missing $package"
  done
elif ! pkg-config --exists libxml-2.0 libzmq libcrypto libmicrohttpd; then
  echo "FlowCEP needs the development files of libxml2, libzmq, libmicrohttpd and OpenSSL (libcrypto), and pkg-config." >&2
  exit 1
fi
if ! command -v swift >/dev/null; then
  echo "FlowCEP needs Swift 6.2 or later: no \`swift\` was found on the path." >&2
  exit 1
fi
[ -n "$missing" ] || exit 0

root=
[ "$(id -u)" = 0 ] || root="sudo "
line="${root}apt-get update && ${root}apt-get install -y$missing"
if [ "$1" = install ] && { [ -z "$root" ] || sudo -n true 2>/dev/null; }; then
  echo "Installing:$missing"
  if bash -c "$line" >/dev/null; then exit 0; fi
fi
echo "Packages are missing. Please run:" >&2
echo "  $line" >&2
exit 1
