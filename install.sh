#!/bin/sh
# Installs Steadfast on this machine: the program under its three names, its systemd units, man pages and completions.
# Nothing is started. DESTDIR=DIR installs below DIR instead, for packages and images.
set -eu
cd "$(dirname "$0")"
binary=target/release/steadfast
destdir=${DESTDIR:-}

while [ $# -gt 0 ]; do
    case $1 in
    --binary) binary=$2; shift 2 ;;
    *) echo "usage: [DESTDIR=DIR] $0 [--binary FILE]" >&2; exit 2 ;;
    esac
done
if [ ! -x "$binary" ]; then
    echo "error: there is no program at $binary" >&2
    echo "  fix:   cargo build --release, or name another with --binary" >&2
    exit 1
fi

mkdir -p "$destdir/usr/bin" "$destdir/usr/lib/systemd/system"
install -m 0755 "$binary" "$destdir/usr/bin/steadfast"
for name in reconcile secrets; do
    ln -sf steadfast "$destdir/usr/bin/$name"
done
for unit in systemd/*.service; do
    install -m 0644 "$unit" "$destdir/usr/lib/systemd/system/"
done

share=$destdir/usr/share
mkdir -p "$share/man/man1"
"$binary" man --out "$share/man/man1"
for place in bash:bash-completion/completions zsh:zsh/vendor-completions fish:fish/vendor_completions.d; do
    mkdir -p "$share/${place#*:}"
    "$binary" completions "${place%%:*}" --out "$share/${place#*:}"
done
mkdir -p "$destdir/etc/steadfast"

cat >&2 <<END
installed below ${destdir:-/}
  next:  write /etc/steadfast/agent.yml (host, remotes) and /etc/steadfast/known_hosts,
         then systemctl enable --now steadfast
END
