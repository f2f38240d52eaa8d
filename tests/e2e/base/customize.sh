#!/bin/sh
# The last step of building the base system of the test hosts; mmdebstrap runs it with the root directory as $1.
set -eu
root=$1

# A package repository of a few real packages, so that hosts without a network can install something with apt.
mkdir -p "$root/srv/apt"
cd "$root/srv/apt"
APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -qq download hello restic podman locales libc-l10n
APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -qq -y -o Dir::Cache::archives="$PWD/" --no-install-recommends \
    install --download-only nftables sudo bash-completion curl direnv htop jq less rsync tmux uidmap unattended-upgrades \
    vim-tiny network-manager qemu-guest-agent cloud-guest-utils nix-bin nix-setup-systemd nfs-common
rm -rf partial lock

# What the archive has, for hosts of the example that are too large to be booted: `main curl`. The names alone are kept.
archive=$(mktemp -d)
chmod 755 "$archive"
mirror=$(sed -n 's/^deb \(\[.*\] \)\{0,1\}\([^ ]*\) \([^ ]*\) .*/\2 \3/p' "$root/etc/apt/sources.list" | head -n 1)
echo "deb $mirror main contrib non-free non-free-firmware" >"$archive/sources.list"
mkdir -p "$archive/lists/partial"
of_archive() {
    APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -qq -o Dir::Etc::SourceList="$archive/sources.list" \
        -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$archive/lists" -o Acquire::Languages=none "$@"
}
of_archive update
of_archive indextargets --format '$(COMPONENT) $(FILENAME)' 'Created-By: Packages' | while read -r component file; do
    sed -n "s/^Package: /$component /p" "$file"
done | sort -u >"$root/srv/archive-names"
rm -rf "$archive"

# The whole of podman is too large. Its generator is the real one; what it would run is a stand-in that only stays up.
dpkg-deb --extract podman_*.deb podman
rm -f podman_*.deb
version=4.0+generator-only
mkdir -p small/DEBIAN small/usr/bin small/usr/lib/systemd small/usr/libexec/podman
cp podman/usr/libexec/podman/quadlet small/usr/libexec/podman/
cp -a podman/usr/lib/systemd/system-generators small/usr/lib/systemd/
printf '%s\n' '#!/bin/sh' '[ "$1" = run ] || exit 0' 'systemd-notify --ready' 'exec sleep infinity' >small/usr/bin/podman
chmod 755 small/usr/bin/podman
printf '%s\n' 'Package: podman' "Version: $version" 'Architecture: all' 'Maintainer: nobody <nobody@example.org>' \
    'Description: the generator of podman' >small/DEBIAN/control
dpkg-deb --root-owner-group --build small "podman_${version}_all.deb" >/dev/null
rm -rf podman small
for package in *.deb; do
    dpkg-deb --field "$package"
    echo "Filename: ./$package"
    echo "Size: $(stat -c %s "$package")"
    echo "SHA256: $(sha256sum "$package" | cut -d' ' -f1)"
    echo
done >Packages
echo 'deb [trusted=yes] file:/srv/apt ./' >"$root/etc/apt/sources.list"
rm -rf "$root"/etc/apt/sources.list.d/* "$root"/var/lib/apt/lists/*
chroot "$root" apt-get -qq update

# Nothing that wakes up by itself while a scenario compares before with after.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
    systemd-tmpfiles-clean.timer console-getty.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

# The journal outlives a reboot; names, ids and keys are each host's own.
mkdir -p "$root/var/log/journal"
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/hostname"
: >"$root/etc/machine-id"
