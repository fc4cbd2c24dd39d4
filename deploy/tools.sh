# shellcheck shell=bash
# Sourced by `deploy/up` and `tests/run`: finds what they need and Rust does not bring, or
# installs it. Python packages go into target/venv; Debian packages only when run by root.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
venv=$root/target/venv
me=$(basename "$0")

say() { printf '%s: %s\n' "$me" "$*"; }
die() { printf '%s: %s\n' "$me" "$*" >&2; exit 1; }

# apt PACKAGE...: installs Debian packages, or says what to type.
apt() {
    local install=(apt-get install -y -q --no-install-recommends "$@")
    if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
        die "needs the Debian package(s) $*: as root, \`apt-get install $*\`"
    fi
    say "installing $*"
    export DEBIAN_FRONTEND=noninteractive
    "${install[@]}" </dev/null >&2 || { apt-get update -q >&2 && "${install[@]}" </dev/null >&2; } \
        || die "could not install $*"
}

# pip PACKAGE...: installs Python packages into target/venv, which is made when missing.
pip() {
    if [[ ! -x $venv/bin/pip ]]; then
        python3 -c 'import ensurepip, venv' 2>/dev/null || apt python3-venv
        rm -rf "$venv"
        python3 -m venv "$venv" || die "could not make $venv"
    fi
    say "installing $* into $venv"
    # Not by its script `pip`: in a directory that was copied, that one serves the old place.
    "$venv/bin/python" -m pip install -q --disable-pip-version-check "$@" || die "could not install $*"
}

# need_supervisor: sets `supervisord` and `supervisorctl`.
need_supervisor() {
    local bin
    if ! bin=$(command -v supervisord); then
        bin=$venv/bin/supervisord
        [[ -x $bin ]] || pip supervisor
    fi
    supervisord=$bin
    supervisorctl=$(dirname "$bin")/supervisorctl
}

# need_websockets: sets `python`, one that has the package `websockets`.
need_websockets() {
    python=$venv/bin/python
    "$python" -c 'import websockets.asyncio.server' 2>/dev/null || pip 'websockets>=13'
}

# need_metrics: has that Python read metrics as Prometheus does; after need_websockets.
need_metrics() {
    "$python" -c 'import prometheus_client.openmetrics.parser' 2>/dev/null || pip prometheus-client
}

# need_h11: has `python` find the package `h11`.
need_h11() {
    "$python" -c 'import h11' 2>/dev/null || pip h11
}

# need_node: has `node` find the package `ws`, as Debian ships it.
need_node() {
    command -v node >/dev/null && NODE_PATH=/usr/share/nodejs node -e 'require("ws")' 2>/dev/null || apt node-ws
}

# need_browser: has `chromium` be there.
need_browser() {
    command -v chromium >/dev/null || apt chromium
}

# need_nginx: sets `nginx`.
need_nginx() {
    local path=$PATH:/usr/local/sbin:/usr/sbin
    if ! nginx=$(PATH=$path command -v nginx); then
        apt nginx-light
        nginx=$(PATH=$path command -v nginx) || die "nginx is installed but not found"
    fi
}
