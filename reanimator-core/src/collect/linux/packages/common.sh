# What all families of package managers share. The functions of each are called FAMILY_WORD; `main` calls them.
LC_ALL=C LANG=C LANGUAGE=
export LC_ALL LANG LANGUAGE PATH
case ":$PATH:" in
*:/usr/sbin:*) ;;
*) PATH=${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin ;;
esac

has() { command -v "$1" >/dev/null 2>&1; }

# Ends a command after so many seconds, where there is something that does so.
limit() {
    seconds=$1
    shift
    if has timeout; then timeout "$seconds" "$@"; else "$@"; fi
}

family() {
    if [ -s "${DPKG_ADMINDIR:-/var/lib/dpkg}/status" ] && has apt-get; then echo apt
    elif has zypper; then echo zypper
    elif has pacman && [ -d /var/lib/pacman/local ]; then echo pacman
    elif has apk; then echo apk
    elif has dnf || has yum; then echo dnf
    else echo none; fi
}

# Who holds a lock on one of these files, by the kernel's own list.
holder() {
    for file; do
        inode=$(stat -c %i "$file" 2>/dev/null) || continue
        pid=$(sed -n "s/^[0-9]*: *[A-Z]* *[A-Z]* *[A-Z]* *\([1-9][0-9]*\) [^ ]*:$inode .*/\1/p" /proc/locks 2>/dev/null | head -n 1)
        [ -n "$pid" ] && process "$pid" && return
    done
    return 1
}

# Who wrote a number of a process into one of these files, and lives.
writer() {
    for file; do
        pid=$(head -n 1 "$file" 2>/dev/null | tr -dc 0-9)
        [ -n "$pid" ] && [ -d "/proc/$pid" ] && process "$pid" && return
    done
    return 1
}

process() { printf '%s (process %s)\n' "$(cat "/proc/$1/comm" 2>/dev/null || echo 'another program')" "$1"; }

# The room where something goes: `room NEEDED PATH`, in bytes.
room() {
    path=$2
    while [ ! -d "$path" ] && [ "$path" != / ]; do path=$(dirname "$path"); done
    printf '%s %s ' "$1" "$2"
    df -Pk "$path" 2>/dev/null | tail -n 1
}

# A new kernel puts an image and a first file system of its own beside those that are there.
room_of_kernels() {
    need=0
    for kind in 'vmlinuz*' 'initr*'; do
        size=$(for file in /boot/$kind; do stat -c %s "$file" 2>/dev/null; done | sort -n | tail -n 1)
        need=$((need + ${size:-0}))
    done
    [ "$need" = 0 ] || room "$need" /boot
}

# Units with processes that still use a library which is not there any more.
services() {
    [ "$(id -u)" = 0 ] && [ -z "$DPKG_ROOT" ] || return 0
    grep -lsE ' r-xp .*/[^ ]*\.so[^ ]* \(deleted\)$' /proc/[0-9]*/maps 2>/dev/null | head -n 300 |
        while IFS=/ read -r _ _ pid _; do
            sed -n 's|.*/\([^/]*\.service\)$|\1|p' "/proc/$pid/cgroup" 2>/dev/null | head -n 1
        done | sort -u | head -n 100
}

# Files that managers lay beside configuration files that somebody changed, each with when it came there. Anybody may own a
# folder below /var/lib: a name with a line break in it would be taken for what we say ourselves, and is left out.
kept_files() {
    find "$DPKG_ROOT/etc" "$DPKG_ROOT/boot" "$DPKG_ROOT/var/lib" -xdev -type f ! -path '*
*' \
        \( -name '*.dpkg-dist' -o -name '*.dpkg-new' -o -name '*.ucf-dist' -o -name '*.rpmnew' -o -name '*.rpmsave' \
        -o -name '*.pacnew' -o -name '*.apk-new' \) -exec stat -c '%Z %n' {} + 2>/dev/null |
        grep -E '^[0-9]+ /' | sort
}

# Whether the name of a package fits one of the patterns that follow.
fits() {
    name=$1
    shift
    for pattern; do
        case $name in $pattern) return 0 ;; esac
    done
    return 1
}

# Where a run keeps what was there before it.
place() {
    echo "${REANIMATOR_PACKAGES_DIR:-$DPKG_ROOT/var/lib/reanimator-packages}/$1"
}

survey() {
    kind=$(family)
    echo @@manager; echo "$kind"
    echo @@user; id -u
    [ "$kind" = none ] && return
    echo @@busy; "${kind}_busy"
    "${kind}_survey"
    echo @@reboot; reboot_question
    echo @@services; services
    echo @@end
}

refresh() {
    kind=$(family)
    [ "$kind" != none ] || { echo 'no package manager that we know of is there' >&2; return 69; }
    "${kind}_refresh" </dev/null
}

# upgrade NAME SECURITY_ONLY PATTERN...
upgrade() {
    kind=$(family)
    [ "$kind" != none ] || { echo 'no package manager that we know of is there' >&2; return 69; }
    dir=$(place "$1")
    security=$2
    shift 2
    umask 022
    mkdir -p "$dir" || return 73
    if [ ! -f "$dir/before" ]; then
        kept_files >"$dir/kept"
        "${kind}_installed" | sort >"$dir/before.new" && mv -f "$dir/before.new" "$dir/before" || return 73
    fi
    set -f
    "${kind}_upgrade" "$@" </dev/null
}

# report NAME: what is not as it was before the run of that name.
report() {
    kind=$(family)
    dir=$(place "$1")
    echo @@manager; echo "$kind"
    [ -f "$dir/before" ] || { echo @@none; return; }
    "${kind}_installed" | sort >"$dir/after"
    echo @@before; comm -23 "$dir/before" "$dir/after"
    echo @@after; comm -13 "$dir/before" "$dir/after"
    echo @@kept; kept_files | comm -13 "$dir/kept" - | sed "s|^[0-9]* $DPKG_ROOT||"
    echo @@reboot; reboot_question
    echo @@services; services
    echo @@end
}

# forget NAME: removes what a run kept.
forget() {
    dir=$(place "$1")
    rm -f "$dir/before" "$dir/after" "$dir/kept" "$dir"/*.new "$dir/preferences"
    rmdir "$dir" 2>/dev/null
    rmdir "$(place '')" 2>/dev/null
    return 0
}
