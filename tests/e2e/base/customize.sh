#!/bin/sh
# The last step of building the base system of the test hosts; mmdebstrap runs it with the root directory as $1.
set -eu
root=$1

# A package repository of real packages, so that hosts without a network can install something with apt.
mkdir -p "$root/srv/apt"
cd "$root/srv/apt"
APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -qq download hello restic
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
