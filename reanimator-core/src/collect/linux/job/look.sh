# Says how a job stands, and what it wrote from a place on; `-` stands for the place from which somebody looked last.
#   look BASE NAME FROM CHUNK
base=$1 name=$2 from=$3 chunk=$4
[ -n "$base" ] || if [ "$(id -u)" = 0 ]; then base=${REANIMATOR_JOBS:-/var/lib/reanimator-jobs}; else base=$HOME/.local/state/reanimator/jobs; fi
job=$base/$name
started() { sed -n 's/.*) [^ZX] \([^ ]* \)\{18\}\([0-9]*\) .*/\2/p' "/proc/$1/stat" 2>/dev/null; }
lives() { [ -f "$job/$1" ] && read -r pid at <"$job/$1" && [ -n "$at" ] && [ "$(started "$pid")" = "$at" ]; }
tell() { [ ! -f "$job/$1" ] || { printf '%s ' "$1"; cat "$job/$1"; }; }
if [ ! -d "$job" ]; then
    # A base that cannot be read is not one where the job is missing.
    [ ! -e "$base" ] || ls "$base" >/dev/null || exit 73
    echo absent; exit 0
fi
[ ! -f "$job/claimed" ] || echo claimed
read -r boot </proc/sys/kernel/random/boot_id
boot=$boot/$(started 1)
[ ! -f "$job/boot" ] || [ "$(cat "$job/boot")" = "$boot" ] || echo rebooted
if lives claimed || lives group; then echo lives; fi
if command -v systemctl >/dev/null && [ -d /run/systemd/system ] && [ "$(id -u)" = 0 ]; then
    systemctl show --property=LoadState,ActiveState,Result -- "$name.service" 2>/dev/null
fi
tell exit
tell why
[ ! -f "$job/cut" ] || echo cut
if [ "$from" = - ]; then
    from=$(cat "$job/seen" 2>/dev/null)
    from=${from:-0}
elif [ ! -f "$job/forgotten" ]; then
    echo "$from" >"$job/seen"
fi
echo "from $from"
[ ! -f "$job/log" ] || echo "size $(($(wc -c <"$job/log")))"
echo @log
[ ! -f "$job/log" ] || tail -c "+$((from + 1))" "$job/log" | head -c "$chunk"
