# Debian, Ubuntu, Proxmox. Nothing of a machine's settings is changed, not even for a while: what is left out is pinned
# in a file that this run alone reads.
apt_admin() { echo "${DPKG_ADMINDIR:-/var/lib/dpkg}"; }

apt_folder() { eval "$(apt-config shell folder "$1")" && printf '%s\n' "$folder"; }

# A Proxmox node needs packages removed and added as its parts change; others are upgraded without removing any.
apt_verb() { if has pveversion; then echo dist-upgrade; else echo upgrade --with-new-pkgs; fi; }

apt_busy() {
    lists=$(apt_folder Dir::State::lists/d)
    archives=$(apt_folder Dir::Cache::archives/d)
    holder "$(apt_admin)/lock-frontend" "$(apt_admin)/lock" "${lists}lock" "${archives}lock"
}

apt_installed() {
    dpkg-query -W -f '${db:Status-Abbrev}|${binary:Package} ${Version}\n' 2>/dev/null |
        sed -n "s/^.[^nc].|//; t named; d; :named; s/:$(dpkg --print-architecture) / /; p"
}

apt_survey() {
    echo @@held; dpkg --get-selections 2>/dev/null | grep 'hold$'
    echo @@states
    dpkg-query -W -f '${db:Status-Abbrev}|${binary:Package}\n' 2>/dev/null | grep -E '^(.[UFH]|..R)' | head -n 100
    echo @@interrupted
    for file in "$(apt_admin)"/updates/[0-9]*; do [ ! -e "$file" ] || echo yes; done | head -n 1
    verb=$(apt_verb)
    echo @@pending; limit 120 apt-get -s -q -o Debug::NoLocking=1 $verb 2>&1 | grep -E '^(Inst|Remv|E:) '
    echo @@sizes
    limit 60 apt-get -q -y --print-uris -o Debug::NoLocking=1 $verb 2>/dev/null |
        grep -E "^('|After this operation|Need to get)" | sed "s/^'[^']*' [^ ]* \([0-9]*\) .*/\1/"
    echo @@rooms
    room 0 "$(apt_folder Dir::Cache::archives/d)"
    room 0 "${DPKG_ROOT:-/}"
    echo @@kernels; [ -n "$DPKG_ROOT" ] || room_of_kernels
    echo @@refreshed
    lists=$(apt_folder Dir::State::lists/d)
    stat -c %Y "$lists" "${lists}partial" /var/lib/apt/periodic/update-success-stamp 2>/dev/null
}

# Settings that are named and not there would be those of another system.
apt_settings() {
    [ -z "$APT_CONFIG" ] || [ -r "$APT_CONFIG" ] || { echo "$APT_CONFIG, which APT_CONFIG names, is not there" >&2; return 78; }
}

apt_refresh() {
    apt_settings || return
    apt-get -q -o APT::Update::Error-Mode=any update
}

# apt_pins PATTERN...: what these packages are is what they stay.
apt_pins() {
    for pattern; do printf 'Package: %s\nPin: release *\nPin-Priority: -1\n\n' "$pattern"; done
}

apt_upgrade() {
    apt_settings || return
    verb=$(apt_verb)
    preferences=$(apt_folder Dir::Etc::preferences/f)
    {
        cat "$preferences" 2>/dev/null && echo
        apt_pins "$@"
        if [ "$security" = yes ]; then
            apt_pins $(apt-get -s -q -o Debug::NoLocking=1 $verb 2>/dev/null | grep '^Inst ' |
                grep -vE -e '-Security:|-security[ ,]' | cut -d ' ' -f 2)
        fi
    } >"$dir/preferences"
    DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical APT_LISTCHANGES_FRONTEND=none UCF_FORCE_CONFFOLD=1 NEEDRESTART_MODE=a
    export DEBIAN_FRONTEND DEBIAN_PRIORITY APT_LISTCHANGES_FRONTEND UCF_FORCE_CONFFOLD NEEDRESTART_MODE
    apt-get -q -y -o "Dir::Etc::preferences=$dir/preferences" -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold $verb
}
