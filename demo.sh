#!/bin/sh
# The demo: builds Steadfast and makes the directory .demo what hosts/demo says. Nothing outside the checkout changes,
# no root is needed. Arguments are passed on: `./demo.sh --dry-run`.
set -eu
cd "$(dirname "$0")"
cargo build
exec target/debug/steadfast reconcile now --root .demo --repo . --host demo \
    --identity hosts/demo/DEMO-KEY-NOT-SECRET_ssh_host_ed25519_key "$@"
