#!/usr/bin/env bash
# Makes a release from a source tree: hpc-billing-VERSION.tar.gz, with the built application, its packages and Node.js.
# Whoever installs it needs no npm and no network.
#
#   deploy/release.sh [--version VERSION] [--out FOLDER] [--deb]
#
# Needs npm and, for --deb, dpkg-deb. VERSION is that of package.json unless given; FOLDER is the present one.
set -euo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)
version='' out=$PWD deb=no
while (($#)); do
  case $1 in
    --version) version=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    --deb) deb=yes; shift ;;
    *) echo "usage: release.sh [--version VERSION] [--out FOLDER] [--deb]" >&2; exit 2 ;;
  esac
done
[[ -n $version ]] || version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$source/package.json")
[[ $version =~ ^[0-9][A-Za-z0-9.+~]*$ ]] || { echo "release.sh: \"$version\" is no version" >&2; exit 2; }
mkdir -p "$out"
out=$(cd "$out" && pwd)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
name=hpc-billing-$version
tree=$work/$name
mkdir "$tree"
umask 022

# A copy, so that neither the packages nor the build of the source tree are touched.
cp -R "$source"/{bin,src,scripts,migrations,sample-data,deploy,package.json,package-lock.json,tsconfig.json,.npmrc,LICENSE,CHANGELOG.md} "$tree"
sed -i "s/^  \"version\": \".*\",\$/  \"version\": \"$version\",/" "$tree/package.json"
(
  cd "$tree"
  npm ci --omit=dev --no-audit --no-fund --loglevel=error >&2
  npm run --silent build
)
# Without src/ the command runs dist/ as it is. The bundler and what it has bundled are not needed any more.
rm -rf "$tree"/{src,scripts,tsconfig.json,.npmrc}
rm -rf "$tree"/node_modules/{esbuild,@esbuild,lucide-static} "$tree"/node_modules/.bin/esbuild
# Links that npm packages cannot hold; PostgreSQL's own account may not make them later.
chmod -R u+rwX,go+rX,go-w "$tree"

# Reproducible: order, owner and times do not depend on the machine.
epoch=${SOURCE_DATE_EPOCH:-$(stat -c %Y "$source/package-lock.json")}
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -cf - "$name" |
  gzip -n -6 >"$out/$name.tar.gz"
(cd "$out" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "$out/$name.tar.gz"

if [[ $deb == yes ]]; then "$source/deploy/debian/build.sh" "$tree" "$version" "$out"; fi
