#!/usr/bin/env bash
# Installs HPC Billing as a service from an unpacked release or a source tree; to be repeated for an upgrade.
#
#   install.sh                  installs what it lies in, keeps settings and data, starts or restarts the service
#   install.sh --no-restart     the same without touching what runs (for deploy/roll.sh)
#   install.sh --uninstall      removes the program and the service; settings and data stay
#   install.sh --purge          removes settings and data too
#
# /opt/hpc-billing/releases/VERSION  programs           /var/lib/hpc-billing   data
# /opt/hpc-billing/current           the one that runs  /etc/hpc-billing/env   settings, 0640
set -euo pipefail

HOME_DIR=/opt/hpc-billing
DATA=/var/lib/hpc-billing
SETTINGS=/etc/hpc-billing
UNITS=/etc/systemd/system
ACCOUNT=hpc-billing
KEEP=3
source=$(cd "$(dirname "$0")/../.." && pwd)

say() { printf 'hpc-billing: %s\n' "$*"; }
fail() { say "$*" >&2; exit 1; }

# In a container or an image that is being built no systemd runs; the files are put in place all the same.
has_systemd() { [[ -d /run/systemd/system ]]; }
systemd() { if has_systemd; then systemctl "$@"; fi; }

processes() { # what of ours is running: hpc-billing, or several hpc-billing@PORT
  if has_systemd; then
    systemctl list-units --plain --no-legend --state=active 'hpc-billing.service' 'hpc-billing@*.service' | cut -d' ' -f1
  fi
}

account() {
  getent passwd "$ACCOUNT" >/dev/null ||
    useradd --system --user-group --home-dir "$DATA" --no-create-home --shell /usr/sbin/nologin "$ACCOUNT"
  install -d -m 0750 -o "$ACCOUNT" -g "$ACCOUNT" "$DATA"
}

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

settings() {
  install -d -m 0750 -o root -g "$ACCOUNT" "$SETTINGS"
  if [[ ! -e $SETTINGS/env ]]; then
    (
      umask 077
      sed -e "s/^\(SECRET_KEY\|PAYMENT_WEBHOOK_SECRET\|METRICS_TOKEN\)=\$/\1=@/" -e "s/^ADMIN_PASSWORD=\$/&@/" \
        "$HOME_DIR/current/deploy/systemd/hpc-billing.env" |
        while IFS= read -r line; do printf '%s\n' "${line/%=@/=$(random)}"; done >"$SETTINGS/env.new"
    )
    # Complete before it has its name: an installer that was killed starts over.
    mv "$SETTINGS/env.new" "$SETTINGS/env"
    say "wrote $SETTINGS/env with new secrets; set SITE_BASE_URL there"
  fi
  chown root:"$ACCOUNT" "$SETTINGS/env"
  chmod 0640 "$SETTINGS/env"
}

program() {
  local version release
  version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$source/package.json")
  [[ -n $version ]] || fail "$source/package.json names no version"
  release=$HOME_DIR/releases/$version
  if [[ $source != "$release" ]]; then
    install -d -m 0755 "$HOME_DIR" "$HOME_DIR/releases"
    rm -rf "$release.new"
    if [[ -d $source/src ]]; then
      # A source tree: first what a release has in it.
      local made
      made=$(mktemp -d)
      "$source/deploy/release.sh" --out "$made" >/dev/null
      mkdir "$release.new"
      tar -C "$release.new" --strip-components=1 --no-same-owner -xzf "$made/hpc-billing-$version.tar.gz"
      rm -rf "$made"
    else
      cp -R "$source" "$release.new"
    fi
    chown -R root:root "$release.new"
    chmod -R u+rwX,go+rX,go-w "$release.new"
    # The same version again: its files are replaced by renaming, so what runs keeps those it has opened.
    rm -rf "$release.old"
    [[ ! -d $release ]] || mv "$release" "$release.old"
    mv "$release.new" "$release"
    rm -rf "$release.old"
  fi
  say "installed $version"
  if [[ $restart == yes || ! -e $HOME_DIR/current ]]; then switch "$version"; fi
}

switch() {
  ln -sfn "releases/$1" "$HOME_DIR/current.new"
  mv -T "$HOME_DIR/current.new" "$HOME_DIR/current"
}

forget_old() { # keeps the newest, for going back
  local current old
  current=$(basename "$(readlink -e "$HOME_DIR/current")")
  find "$HOME_DIR/releases" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %f\n' | sort -rn | tail -n +$((KEEP + 1)) |
    while read -r _ old; do [[ $old == "$current" ]] || rm -rf "${HOME_DIR:?}/releases/$old"; done
}

command_line() {
  install -D -m 0755 "$HOME_DIR/current/deploy/systemd/hpc-billing-command" /usr/local/bin/hpc-billing
}

units() {
  local here=$HOME_DIR/current/deploy/systemd
  install -D -m 0644 "$here/hpc-billing.service" "$UNITS/hpc-billing.service"
  install -D -m 0644 "$here/hpc-billing@.service" "$UNITS/hpc-billing@.service"
  systemd daemon-reload
}

install_all() {
  account
  program
  settings
  units
  command_line
  forget_old
  [[ $restart == yes ]] || return 0
  local running
  running=$(processes)
  if [[ $running == *@* ]]; then
    say "several processes run; replace them without a gap: $HOME_DIR/current/deploy/roll.sh"
  else
    systemd enable --quiet hpc-billing.service
    systemd restart hpc-billing.service
    has_systemd || say "no systemd runs here; start it with: systemctl enable --now hpc-billing"
  fi
}

uninstall() {
  local unit
  for unit in $(processes); do systemd disable --now --quiet "$unit"; done
  rm -f "$UNITS/hpc-billing.service" "$UNITS/hpc-billing@.service" /usr/local/bin/hpc-billing
  systemd daemon-reload
  rm -rf "$HOME_DIR"
  say "removed; settings are in $SETTINGS, data in $DATA"
}

purge() {
  uninstall
  rm -rf "$SETTINGS" "$DATA"
  ! getent passwd "$ACCOUNT" >/dev/null || userdel "$ACCOUNT"
  say "settings and data are gone"
}

restart=yes
[[ $(id -u) == 0 ]] || fail "takes root"
case ${1:-} in
  "") install_all ;;
  --no-restart) restart=no; install_all ;;
  # What the Debian package leaves to be done when its files are in place.
  --configure) account; switch "$2"; settings ;;
  --uninstall) uninstall ;;
  --purge) purge ;;
  *) fail "usage: install.sh [--no-restart | --uninstall | --purge]" ;;
esac
