# Starts a job, unless its name was taken before. Comes over standard input; $1 and so on are given by the caller.
#   start BASE NAME SECONDS LOG_BLOCKS ENDLESS_BYTES USER LINE BODY ENVIRONMENT RUN NEEDS_LIMITS PROPERTIES...
start() {
    base=$1 name=$2 user=$6
    umask 077
    [ -n "$base" ] || if [ "$(id -u)" = 0 ]; then base=${REANIMATOR_JOBS:-/var/lib/reanimator-jobs}; else base=$HOME/.local/state/reanimator/jobs; fi
    job=$base/$name
    if [ -f "$job/claimed" ]; then
        echo '@there'
        return 0
    fi
    for tool in mkfifo setsid sed head tail; do
        command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2; return 69; }
    done
    if [ -n "$user" ]; then
        [ "$(id -u)" = 0 ] || { echo "only root may run it as $user" >&2; return 77; }
        id -u "$user" >/dev/null || return 67
    fi
    # Each is left when it ends, for whoever was killed just then; after a week nobody comes any more.
    find "$base" -mindepth 1 -maxdepth 1 -type d -mtime +7 -exec sh -c \
        'for old; do [ ! -f "$old/exit" ] && [ -f "$old/claimed" ] && [ ! -f "$old/forgotten" ] || rm -rf "$old"; done' sh {} + 2>/dev/null
    mkdir -p "$job" || return 73
    seconds=$3 blocks=$4 endless=$5 own=$job/new.$$
    put() { printf %s "$2" >"$own" && mv -f "$own" "$job/$1"; }
    read -r boot </proc/sys/kernel/random/boot_id
    boot=$boot/$(sed -n 's/.*) [^ZX] \([^ ]* \)\{18\}\([0-9]*\) .*/\2/p' /proc/1/stat 2>/dev/null)
    # The environment is each starter's own: whoever does not carry the job out removes what it brought.
    put line "$7" && put body "$8" && put "env.$$" "$9" || return 73
    shift 9
    put run "$1" && put boot "$boot" || return 73
    needs=$2
    shift 2
    if [ -n "$user" ]; then
        chmod 711 "$base" "$job" && chown "$user" "$job/body" || return 73
    fi
    if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
        systemctl reset-failed "$name.service" 2>/dev/null
        if ! said=$(systemd-run "--unit=$name.service" --quiet --no-ask-password "--description=$name" \
            --property=IgnoreSIGPIPE=no "$@" -- \
            /bin/sh "$job/run" "$job" "$seconds" "$blocks" "$endless" "$user" "env.$$" 2>&1 </dev/null); then
            rm -f "$job/env.$$"
            [ -f "$job/claimed" ] && { echo '@there'; return 0; }
            printf '%s\n' "$said" >&2
            return 71
        fi
    else
        [ -z "$needs" ] || { rm -f "$job/env.$$"; echo "it has no systemd that we may use, and so no way to keep $needs" >&2; return 69; }
        setsid sh "$job/run" "$job" "$seconds" "$blocks" "$endless" "$user" "env.$$" </dev/null >/dev/null 2>&1 &
    fi
    tries=0
    while [ ! -f "$job/claimed" ] && [ "$tries" -lt 50 ]; do
        sleep 0.1 2>/dev/null || sleep 1
        tries=$((tries + 1))
    done
    [ -f "$job/claimed" ] || { echo "it was started and did not begin" >&2; return 75; }
    echo '@begun'
}
