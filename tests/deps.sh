#!/bin/sh
# Installs the Debian packages that the given lists name, one a line, where any is missing.
# shellcheck disable=SC2086 # lists of packages are meant to be split
set -eu
packages=$(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@")
if ! command -v dpkg-query >/dev/null; then
  echo "deps: this is no Debian; install what these are called here:" $packages >&2
  exit 0
fi
missing=
for package in $packages; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

root=
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
    echo "deps: missing, and neither root nor sudo is at hand; as root: apt-get install$missing" >&2
    exit 1
  fi
  root="sudo -n"
fi
echo "deps: installing$missing"
get() {
  $root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 "$@"
}
# The lists of a fresh system are empty or old: fetch them only if they turn out to be.
get install --no-install-recommends $missing >/dev/null 2>&1 || {
  get update
  get install --no-install-recommends $missing >/dev/null
}
