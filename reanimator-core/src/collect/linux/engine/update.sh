# Updates a container of Docker: begins with back.sh, and takes, beside what that does, IMAGE (an id that is there, or nothing
# for the newest), CREATE (the body that makes it once more) and CONNECT (lines `NETWORK BODY`).
set -u
answer=$(mktemp) || exit 1
trap 'rm -f "$answer"' EXIT
# A host that goes down must not leave half of it if there is time for more.
trap 'exit 143' TERM INT HUP

# Asks the engine's API; its answer is in the file.
api() {
    status=$(printf '%s' "$2" | curl -sS --noproxy '*' --unix-socket /var/run/docker.sock -o "$answer" -w '%{http_code}' \
        -H 'Content-Type: application/json' --data-binary @- "http://docker$1") || return 1
    case $status in 2*) return 0 ;; esac
    cat "$answer"
    echo
    return 1
}

# Waits until the new one has been well for a while: healthy, or up for ten seconds where nobody asks how it is.
well() {
    n=0
    while :; do
        # Words: what it does, how often it was started again, how it is.
        set -- $($d container inspect --format \
            '{{.State.Status}} {{.RestartCount}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}} {{.State.ExitCode}}' "$made")
        case "${1:-gone} ${2:-0} ${3:-none}" in
            "running 0 healthy") return 0 ;;
            "running 0 none") [ $n -lt 10 ] || return 0 ;;
            "running 0 starting") ;;
            "running 0 unhealthy") echo "the new container is not healthy"; return 1 ;;
            *) echo "the new container does not stay up: it is ${1:-gone}, with status ${4:-unknown}"; return 1 ;;
        esac
        n=$((n + 1))
        [ $n -le 300 ] || { echo "the new container is not healthy after five minutes"; return 1; }
        sleep 1
    done
}

replace() {
    api "/containers/create?name=$new" "$CREATE" || return 1
    made=$(sed -n 's/.*"Id" *: *"\([0-9a-f]*\)".*/\1/p' "$answer")
    [ -n "$made" ] || return 1
    while read -r network body; do
        [ -z "$network" ] || api "/networks/$network/connect" "{\"Container\":\"$made\",${body#?}" || return 1
    done <<EOF
$CONNECT
EOF
    # An engine that starts anew meanwhile must not start both.
    $d update --restart no "$OLD" >/dev/null || return 1
    [ "$RAN" != yes ] || echo "stopping the container"
    $d stop "$OLD" >/dev/null || return 1
    $d rename "$OLD" "$before" || return 1
    $d rename "$made" "$NAME" || return 1
    [ "$RAN" = yes ] || return 0
    echo "starting the new one"
    $d start "$made" >/dev/null || return 1
    well && return 0
    echo "its last words:"
    $d logs --tail 20 "$made" 2>&1
    return 1
}

made=
if [ -n "$IMAGE" ]; then
    $d tag "$IMAGE" "$REF" || exit 1
else
    $d pull "$REF" || { echo "the image was not fetched: the container is as it was"; exit 1; }
fi
is=$($d image inspect --format '{{.Id}}' "$REF") || exit 1
if [ "$is" = "$WAS" ]; then
    echo "its image is the newest: the container is as it was"
    exit 0
fi
echo "from image $WAS"
echo "to image $is"
if replace; then
    # Its volumes stay, whose names the new one has.
    $d rm "$OLD" >/dev/null || echo "what was before it is still there as $before"
    echo "the new container is there"
    exit 0
fi
back
exit 1
