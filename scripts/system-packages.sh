#!/bin/sh
# The system packages that a Debian or Ubuntu machine needs before `make demo` and `make test`;
# with --bench also the peer that `make bench` runs beside Loom and that pip cannot install.
# Asks apt only for what is missing; does nothing where all is there.
set -eu

missing=""
case "${1:-}" in
"") ;;
--bench)
    # Debian's is in a folder where only root looks.
    PATH="$PATH:/usr/sbin" command -v nats-server >/dev/null 2>&1 || missing="$missing nats-server"
    ;;
*)
    echo "usage: scripts/system-packages.sh [--bench]" >&2
    exit 2
    ;;
esac
command -v python3 >/dev/null 2>&1 || missing="$missing python3"
command -v make >/dev/null 2>&1 || missing="$missing make"
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || missing="$missing python3-venv"

if [ -z "$missing" ]; then
    echo "system packages: all there"
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "loom: not a Debian or Ubuntu machine; install by its own means:$missing" >&2
    exit 1
fi
run=""
if [ "$(id -u)" -ne 0 ]; then
    run="sudo"
fi
$run apt-get update -qq
# shellcheck disable=SC2086  # several packages
$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
