# Carries one job out, with nobody watching: claims its name, runs its body, keeps what it says up to a limit, and
# writes down how it ended. Runs under systemd or setsid.
#   run.sh DIRECTORY SECONDS LOG_BLOCKS ENDLESS_BYTES USER ENVIRONMENT
job=$1 seconds=$2 blocks=$3 endless=$4 user=$5 env=$1/$6
umask 077
cd / || exit 1
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
: "${HOME:=/root}"
REANIMATOR_BODY=$job/body
export PATH HOME REANIMATOR_BODY
line=$(cat "$job/line") || exit 1
put() { printf '%s\n' "$2" >"$job/$1.new" && mv -f "$job/$1.new" "$job/$1"; }
started() { sed -n 's/.*) [^ZX] \([^ ]* \)\{18\}\([0-9]*\) .*/\2/p' "/proc/$1/stat" 2>/dev/null; }
# Whether the kernel has ended something of ours for its memory: said by the unit's control group, of either version, as
# it is named here or inside a container.
memory_ran_out() {
    for kind in '0::' '[0-9]*:memory:'; do
        group=$(sed -n "s/^$kind//p" /proc/self/cgroup 2>/dev/null)
        case $group in *"/${job##*/}.service"*) ;; *) continue ;; esac
        for path in "$group" "${group#"${group%/system.slice/*}"}"; do
            killed=$(sed -n 's/^oom_kill //p' "/sys/fs/cgroup$path/memory.events" \
                "/sys/fs/cgroup/memory$path/memory.oom_control" 2>/dev/null)
            [ "${killed:-0}" = 0 ] || return 0
        done
    done
    return 1
}

# Who makes this link carries the job out; anybody later does nothing.
put "claim.$$" "$$ $(started $$)"
ln "$job/claim.$$" "$job/claimed" 2>/dev/null
lost=$?
rm -f "$job/claim.$$"
[ "$lost" = 0 ] || { rm -f "$env"; exit 0; }

mkfifo "$job/pipe" || exit 1
[ -z "$user" ] || chown "$user" "$job/pipe"
{
    (ulimit -c 0; ulimit -f "$blocks"; exec cat >>"$job/log") || {
        : >"$job/cut"
        head -c "$endless" >/dev/null
    }
} <"$job/pipe" 2>/dev/null &
reader=$!

if [ -z "$user" ]; then
    set -- sh -c "$line"
else
    # The name was checked: it holds nothing that a shell would read.
    eval "HOME=~$user"
    USER=$user LOGNAME=$user
    export USER LOGNAME
    if setpriv --help 2>/dev/null | grep -q -e --reuid; then
        set -- setpriv "--reuid=$(id -u "$user")" "--regid=$(id -g "$user")" --init-groups -- sh -c "$line"
    else
        set -- su -s /bin/sh "$user" -c "$line"
    fi
fi
set -- "$env" "$@"
# From where the environment is read, no variable of this script is used: it may hold the same names.
(
    . "$1"
    rm -f "$1"
    shift
    exec setsid "$@"
) </dev/null >"$job/pipe" 2>&1 &
child=$!
put group "$child $(started $child)"

(
    trap 'kill "$asleep" 2>/dev/null; exit 0' TERM
    sleep "$seconds" &
    asleep=$!
    wait "$asleep"
    put why timeout
    kill -s TERM -- "-$child" 2>/dev/null
    sleep 5
    kill -s KILL -- "-$child" 2>/dev/null
) </dev/null >/dev/null 2>&1 &
dog=$!

wait "$child"
status=$?
kill "$dog" 2>/dev/null
# What it left running may hold the pipe; the end does not wait for that.
(sleep 3; kill "$reader") </dev/null >/dev/null 2>&1 &
patience=$!
wait "$reader"
kill "$patience" 2>/dev/null
if [ ! -f "$job/why" ] && memory_ran_out; then
    put why memory
fi
put exit "$status $(date +%s)"
