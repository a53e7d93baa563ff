# Ends a job, and all that it started in its group or its unit; one that has not begun never will.
#   stop BASE NAME
base=$1 name=$2
[ -n "$base" ] || if [ "$(id -u)" = 0 ]; then base=${REANIMATOR_JOBS:-/var/lib/reanimator-jobs}; else base=$HOME/.local/state/reanimator/jobs; fi
job=$base/$name
started() { sed -n 's/.*) [^ZX] \([^ ]* \)\{18\}\([0-9]*\) .*/\2/p' "/proc/$1/stat" 2>/dev/null; }
lives() { [ -f "$job/$1" ] && read -r pid at <"$job/$1" && [ -n "$at" ] && [ "$(started "$pid")" = "$at" ]; }
umask 077
mkdir -p "$job" || exit 73
[ ! -f "$job/exit" ] || exit 0
[ -f "$job/why" ] || echo stopped >"$job/why"
echo 0 0 >"$job/claim.$$"
ln "$job/claim.$$" "$job/claimed" 2>/dev/null
claimed=$?
rm -f "$job/claim.$$"
[ "$claimed" != 0 ] || exit 0
tries=0
while [ ! -f "$job/group" ] && [ ! -f "$job/exit" ] && lives claimed && [ "$tries" -lt 50 ]; do
    sleep 0.1 2>/dev/null || sleep 1
    tries=$((tries + 1))
done
for signal in TERM KILL; do
    lives group || break
    kill -s "$signal" -- "-$pid" 2>/dev/null
    tries=0
    while [ ! -f "$job/exit" ] && lives claimed && [ "$tries" -lt 50 ]; do
        sleep 0.1 2>/dev/null || sleep 1
        tries=$((tries + 1))
    done
done
if command -v systemctl >/dev/null && [ -d /run/systemd/system ] && [ "$(id -u)" = 0 ]; then
    systemctl stop -- "$name.service" 2>/dev/null
fi
exit 0
