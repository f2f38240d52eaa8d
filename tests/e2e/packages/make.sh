#!/bin/sh
# Makes the signed package repository that scenarios install from, and the keys: `make.sh DIR`. What is beside this file
# was made by it once; the private key was thrown away.
set -eu
cd "$1"
rm -f ./*.deb InRelease
epoch=1700000000

package() { # NAME VERSION DEPENDS CONFFILE [POSTINST [PROGRAM]]
    tree=$1_$2
    mkdir -p "$tree/DEBIAN" "$tree/usr/share/$1"
    {
        printf 'Package: %s\nVersion: %s\nArchitecture: all\n' "$1" "$2"
        [ -z "$3" ] || printf 'Depends: %s\n' "$3"
        printf 'Maintainer: Steadfast tests <tests@example.org>\nSection: misc\nPriority: optional\n'
        printf 'Description: package for tests\n'
    } >"$tree/DEBIAN/control"
    echo "$1 $2" >"$tree/usr/share/$1/version"
    if [ -n "$4" ]; then
        mkdir -p "$tree/etc"
        echo "of the package $2" >"$tree$4"
        echo "$4" >"$tree/DEBIAN/conffiles"
    fi
    if [ -n "${5:-}" ]; then
        printf '#!/bin/sh\n%s\n' "$5" >"$tree/DEBIAN/postinst"
        chmod 755 "$tree/DEBIAN/postinst"
    fi
    if [ -n "${6:-}" ]; then
        mkdir -p "$tree/usr/bin"
        printf '#!/bin/sh\n%s\n' "$6" >"$tree/usr/bin/$1"
        chmod 755 "$tree/usr/bin/$1"
    fi
    find "$tree" -exec touch --date=@$epoch {} +
    SOURCE_DATE_EPOCH=$epoch dpkg-deb --root-owner-group -Zgzip --build "$tree" >/dev/null
    rm -r "$tree"
}

package yardlib 1.0 '' ''
package yardtool 1.0 yardlib /etc/yardtool.conf
package yardtool 2.0 yardlib /etc/yardtool.conf
package yardguest 1.0 yardtool ''
package yardcheck 1.0 '' '' '' '! grep -n bad "$1" >&2'
package yardbad 1.0 yardlib '' 'echo "yardbad cannot be set up" >&2; exit 1'

for deb in *.deb; do
    dpkg-deb --field "$deb"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
done >Packages
{
    printf 'Origin: yard\nLabel: yard\nSuite: yard\nCodename: yard\nDate: Tue, 14 Nov 2023 22:13:20 UTC\n'
    printf 'Architectures: all amd64 arm64\nSHA256:\n %s %s Packages\n' \
        "$(sha256sum Packages | cut -d' ' -f1)" "$(stat -c %s Packages)"
} >Release

key() { # NAME FILE
    GNUPGHOME=$(mktemp -d)
    export GNUPGHOME
    gpg --batch --quiet --faked-system-time $epoch --passphrase '' --quick-generate-key "$1 <tests@example.org>" \
        ed25519 sign never
    gpg --armor --export >"$2"
}
key 'ANOTHER TEST KEY' stranger.asc
rm -r "$GNUPGHOME"
key 'TEST KEY of a package repository' key.asc
gpg --batch --quiet --faked-system-time $epoch --digest-algo SHA512 --clearsign --output InRelease Release
rm -r "$GNUPGHOME" Release
