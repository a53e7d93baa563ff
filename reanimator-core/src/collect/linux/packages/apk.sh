# Alpine.
apk_busy() { holder /lib/apk/db/lock /usr/lib/apk/db/lock; }

apk_installed() { apk info -v 2>/dev/null | sed 's/^\(.*\)-\([^-]*-r[0-9]*\)$/\1 \2/'; }

apk_survey() {
    echo @@held; grep -sE '[=<~]' /etc/apk/world
    echo @@broken
    said=$(limit 60 apk add --no-network --simulate 2>&1 </dev/null) || echo "$said" | grep -E '^(ERROR|  )' | head -n 20
    echo @@pending; limit 60 apk list --no-network --upgradable 2>/dev/null; status=$?
    echo @@rooms; room 0 /var/cache/apk; room 0 /usr
    echo @@kernels; room_of_kernels
    echo @@refreshed; stat -c %Z /var/cache/apk/APKINDEX.*.tar.gz /etc/apk/cache/APKINDEX.*.tar.gz 2>/dev/null
    echo @@status; echo "$status"
}

apk_refresh() { apk update; }

apk_upgrade() {
    [ $# != 0 ] || { apk upgrade 2>&1; return; }
    # There is no way to leave one out: the others are named, which leaves the list of what is wanted as it is.
    names=
    for found in $(apk list --no-network --upgradable 2>/dev/null | sed -n 's/^\([^ ]*\)-[^- ]*-r[0-9]* .*/\1/p'); do
        fits "$found" "$@" || names="$names $found"
    done
    [ -n "$names" ] || { echo 'nothing is left to be upgraded'; return 0; }
    apk upgrade $names 2>&1
}
