# Removes what a job that ended left, but for how it ended: whoever was killed before that was noted asks again. That
# goes with a later start, after a week.
#   forget BASE NAME
base=$1 name=$2
[ -n "$base" ] || if [ "$(id -u)" = 0 ]; then base=${REANIMATOR_JOBS:-/var/lib/reanimator-jobs}; else base=$HOME/.local/state/reanimator/jobs; fi
job=$base/$name
umask 077
[ -d "$job" ] || exit 0
if command -v systemctl >/dev/null && [ -d /run/systemd/system ] && [ "$(id -u)" = 0 ]; then
    result=$(systemctl show --property=Result -- "$name.service" 2>/dev/null)
    if [ ! -f "$job/exit" ] && [ ! -f "$job/why" ]; then
        case $result in
        Result=oom-kill) echo memory >"$job/why" ;;
        Result=timeout) echo timeout >"$job/why" ;;
        esac
    fi
    systemctl reset-failed -- "$name.service" 2>/dev/null
fi
: >"$job/forgotten"
rm -f "$job/body" "$job/log" "$job/run" "$job/line" "$job/pipe" "$job/seen" "$job"/*.new "$job"/new.* "$job"/env.*
exit 0
