# openSUSE, SLES.
zypper_busy() {
    writer /run/zypp.pid /var/run/zypp.pid || holder /usr/lib/sysimage/rpm/.rpm.lock /var/lib/rpm/.rpm.lock
}

zypper_installed() { dnf_installed; }

# A distribution that rolls on is upgraded as a whole; of others each package is, by the same sellers.
zypper_rolls() { grep -qsE '^ID="?(opensuse-tumbleweed|opensuse-slowroll|opensuse-microos)' /etc/os-release; }

zypper_ask() { zypper --non-interactive --no-refresh "$@"; }

zypper_survey() {
    echo @@held; grep -s ^solvable_name /etc/zypp/locks
    echo @@broken
    said=$(limit 60 zypper --non-interactive --no-refresh verify --dry-run 2>&1 </dev/null) ||
        echo "$said" | grep -E '^(Problem|[0-9]+ Problem)' | head -n 20
    if ls /var/cache/zypp/raw/*/repodata/*updateinfo* >/dev/null 2>&1; then echo @@advisories; fi
    echo @@pending
    said=$(limit 90 zypper --non-interactive --no-refresh --quiet --xmlout list-updates 2>/dev/null); status=$?
    echo "$said" | grep -oE '<(update|source) [^>]*>'
    echo @@security
    said=$(limit 60 zypper --non-interactive --no-refresh --quiet --xmlout list-patches --category security 2>/dev/null) || echo @@nosecurity
    echo "$said" | grep -oE '<update [^>]*>'
    echo @@sizes; limit 90 zypper --non-interactive --no-refresh update --dry-run 2>/dev/null </dev/null |
        grep -iE '(download size|already cached|after the operation|install size change)'
    echo @@rooms; room 0 /var/cache/zypp; room 0 /usr
    echo @@kernels; room_of_kernels
    echo @@refreshed; stat -c %Z /var/cache/zypp/raw/*/repodata/repomd.xml 2>/dev/null
    if zypper_rolls; then echo @@rolls; fi
    echo @@status; echo "$status"
}

zypper_refresh() { zypper --non-interactive refresh; }

# 102 and 103 say that all went well, and that a restart of the machine or of zypper itself is due; then it goes on.
zypper_done() {
    case $1 in
    0 | 102) return 0 ;;
    103) zypper_ask "$2" $3 --auto-agree-with-licenses && return; [ $? = 102 ] ;;
    *) return "$1" ;;
    esac
}

zypper_upgrade() {
    if [ "$security" = yes ]; then
        zypper_ask patch --category security --auto-agree-with-licenses
        zypper_done $? patch '--category security'
    elif zypper_rolls; then
        zypper_ask dup --no-allow-vendor-change --auto-agree-with-licenses
        zypper_done $? dup --no-allow-vendor-change
    elif [ $# = 0 ]; then
        zypper_ask update --auto-agree-with-licenses
        zypper_done $? update
    else
        # There is no way to leave one out but a lock, which would stay if this were ended: the others are named.
        names=
        for found in $(zypper_ask --quiet --xmlout list-updates 2>/dev/null | grep -oE '<update [^>]*kind="package"[^>]*>' |
            sed 's/.* name="\([^"]*\)".*/\1/'); do
            fits "$found" "$@" || names="$names $found"
        done
        [ -n "$names" ] || { echo 'nothing is left to be upgraded'; return 0; }
        zypper_ask update --auto-agree-with-licenses $names
        zypper_done $? update "$names"
    fi
}
