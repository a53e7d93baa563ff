# Arch.
pacman_busy() {
    [ -e /var/lib/pacman/db.lck ] || return 1
    for file in /proc/[0-9]*/comm; do
        case $(cat "$file" 2>/dev/null) in
        pacman | pamac* | yay | paru | packagekitd) pid=${file#/proc/}; process "${pid%/comm}"; return ;;
        esac
    done
    return 1
}

pacman_installed() { pacman -Q 2>/dev/null; }

pacman_survey() {
    echo @@interrupted
    [ ! -e /var/lib/pacman/db.lck ] || [ -n "$(pacman_busy)" ] || echo yes
    echo @@broken; said=$(limit 60 pacman -Dk 2>&1) || echo "$said" | grep -v '^No database errors' | head -n 20
    echo @@pending; limit 60 pacman -Qu 2>/dev/null; status=$?
    # Without lists nothing is pending, which says nothing.
    ls /var/lib/pacman/sync/*.db >/dev/null 2>&1 || status='no lists'
    echo @@sizes; limit 60 pacman -Sup --print-format %s 2>/dev/null | grep -E '^[0-9]+$'
    echo @@rooms; room 0 /var/cache/pacman/pkg; room 0 /usr
    echo @@kernels; room_of_kernels
    echo @@refreshed; stat -c %Z /var/lib/pacman/sync/*.db 2>/dev/null
    echo @@status; echo "$status"
}

pacman_refresh() { pacman -Sy --noconfirm; }

pacman_upgrade() {
    for pattern; do
        shift
        set -- "$@" --ignore "$pattern"
    done
    pacman -Su --noconfirm --noprogressbar "$@"
}
