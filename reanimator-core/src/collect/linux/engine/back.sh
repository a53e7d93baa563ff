# Puts the container back that was there before an update, wherever that broke off; twice is as once.
# Takes OLD (its id), NAME, EFFECT, RAN (yes, no), POLICY (of restarts), WAS (the id of its image), REF (the name of it).
before="$NAME-before-$EFFECT"
new="$NAME-new-$EFFECT"
d="docker -H unix:///var/run/docker.sock"

# The id of the container of exactly this name: the engine takes the beginning of an id for a name.
id_of() {
    $d container inspect --format '{{.Name}} {{.Id}}' "$1" 2>/dev/null | while read -r name id; do
        [ "$name" != "/$1" ] || echo "$id"
    done
}

name_of() { $d container inspect --format '{{.Name}}' "$1" 2>/dev/null; }

back() {
    n=0
    until $d version >/dev/null 2>&1; do
        n=$((n + 1))
        [ $n -le 60 ] || { echo "Docker does not answer any more: nothing could be put back"; return 1; }
        sleep 1
    done
    # Not there any more: the new one is in its place for good.
    at=$(name_of "$OLD") || return 0
    fresh=$(id_of "$new")
    [ -z "$fresh" ] || $d rm --force "$fresh" >/dev/null || return 1
    if [ "$at" = "/$before" ]; then
        fresh=$(id_of "$NAME")
        [ -z "$fresh" ] || $d rm --force "$fresh" >/dev/null || return 1
        $d rename "$OLD" "$NAME" || return 1
    fi
    # Only where its own policy was set aside, or it was renamed, has it been touched.
    if [ "$at" = "/$before" ] || [ "$($d container inspect --format '{{.HostConfig.RestartPolicy.Name}}' "$OLD")" = no ]; then
        $d update --restart "$POLICY" "$OLD" >/dev/null || return 1
        [ "$RAN" != yes ] || $d start "$OLD" >/dev/null || return 1
    fi
    $d tag "$WAS" "$REF" || return 1
    echo "the container is back as it was"
}
