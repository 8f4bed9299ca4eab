#!/usr/bin/env bash
# Makes hpc-billing_VERSION_ARCH.deb from an unpacked release. Usage: build.sh TREE VERSION OUT-FOLDER
# DEB_COMPRESSION: none, gzip, xz or zstd; xz takes minutes for what is half Node.js and PostgreSQL.
set -euo pipefail
tree=$1 version=$2 out=$3
here=$(cd "$(dirname "$0")" && pwd)
arch=$(dpkg --print-architecture)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
umask 022

mkdir -p "$root/opt/hpc-billing/releases"
cp -R "$tree" "$root/opt/hpc-billing/releases/$version"
install -D -m 0644 -t "$root/lib/systemd/system" "$tree"/deploy/systemd/hpc-billing{,@}.service
install -D -m 0755 "$tree/deploy/systemd/hpc-billing-command" "$root/usr/bin/hpc-billing"
install -D -m 0644 "$tree/LICENSE" "$root/usr/share/doc/hpc-billing/copyright"

mkdir "$root/DEBIAN"
for script in postinst prerm postrm; do
  sed "s/@VERSION@/$version/g" "$here/$script" >"$root/DEBIAN/$script"
  chmod 0755 "$root/DEBIAN/$script"
done
cat >"$root/DEBIAN/control" <<CONTROL
Package: hpc-billing
Version: $version
Architecture: $arch
Maintainer: HPC Billing maintainers <root@localhost>
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Depends: libc6, passwd, util-linux
Recommends: nginx | caddy
Section: admin
Priority: optional
Description: Bills Slurm clusters
 Usage in, exact prices, receipts that are paid once, books that balance. Brings its own Node.js and PostgreSQL.
CONTROL
dpkg-deb --root-owner-group -Z"${DEB_COMPRESSION:-zstd}" --build "$root" "$out/hpc-billing_${version}_$arch.deb" >&2
echo "$out/hpc-billing_${version}_$arch.deb"
