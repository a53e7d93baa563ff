# Machines whose packages the real apt and dpkg work on, without touching the machine that they run on.
#   machines.sh make FOLDER NAME            a machine's root, from the one that all begin with
#   machines.sh keep FOLDER NAME SNAPSHOT   what it is now is kept under a name
#   machines.sh back FOLDER NAME SNAPSHOT   it is what it was then
#   machines.sh drop FOLDER NAME SNAPSHOT   what was kept is thrown away
#   machines.sh spoil FOLDER NAME           the next upgrade of it brings a service that fails
#
# A setting of apt that is named and not there would have it take the machine's own: a root is whole as soon as it has its
# name. A root has its own database of dpkg, lists and settings of apt, and files. It begins out of date: packages of version 1.0
# with 1.1 to be had, one of them for security, and a configuration file that somebody changed.
set -e
LC_ALL=C
export LC_ALL
what=$1 folder=$2 name=$3 kept=$4

# package REPOSITORY NAME VERSION: a configuration file, and a file that says how the service of that name is.
package() {
    tree=$folder/tree
    rm -rf "$tree"
    mkdir -p "$tree/DEBIAN" "$tree/etc/$2" "$tree/usr/share/$2"
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: The look-alike <look-alike@example.org>\nInstalled-Size: 4\nDescription: %s\n' \
        "$2" "$3" "a package of the look-alike" >"$tree/DEBIAN/control"
    printf 'version = %s\n' "$3" >"$tree/etc/$2/$2.conf"
    printf '/etc/%s/%s.conf\n' "$2" "$2" >"$tree/DEBIAN/conffiles"
    case $3 in *+broken) echo broken ;; *) echo well ;; esac >"$tree/usr/share/$2/health"
    dpkg-deb --build "$tree" "$1/$2_$3_all.deb" >/dev/null
    {
        dpkg-deb --field "$1/$2_$3_all.deb"
        printf 'Filename: %s_%s_all.deb\nSize: %s\nSHA256: %s\n\n' "$2" "$3" "$(stat -c %s "$1/$2_$3_all.deb")" \
            "$(sha256sum "$1/$2_$3_all.deb" | cut -d ' ' -f 1)"
    } >>"$1/Packages"
    rm -rf "$tree"
}

# release REPOSITORY LABEL SUITE
release() {
    printf 'Origin: Debian\nLabel: %s\nSuite: %s\nCodename: %s\nVersion: 12\nArchitectures: all amd64 arm64\nDate: %s\nSHA256:\n %s %s Packages\n' \
        "$2" "$3" "$3" "$(date -u '+%a, %d %b %Y %H:%M:%S UTC')" "$(sha256sum "$1/Packages" | cut -d ' ' -f 1)" \
        "$(stat -c %s "$1/Packages")" >"$1/Release"
}

settings() {
    cat >"$1/etc/apt/apt.conf" <<END
Dir "$1/";
Dir::State::status "$1/var/lib/dpkg/status";
Dir::Bin::dpkg "$(command -v dpkg)";
DPkg::Options { "--force-not-root"; "--force-bad-path"; "--log=$1/var/log/dpkg.log"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
END
}

within() {
    root=$1
    shift
    APT_CONFIG=$root/etc/apt/apt.conf DPKG_ROOT=$root DPKG_ADMINDIR=$root/var/lib/dpkg "$@"
}

template() {
    [ ! -d "$folder/template" ] || return 0
    rm -rf "$folder/repositories" "$folder/new"
    main=$folder/repositories/main security=$folder/repositories/security spoiled=$folder/repositories/spoiled root=$folder/new
    mkdir -p "$main" "$security" "$spoiled" "$root/etc/apt/apt.conf.d" "$root/etc/apt/preferences.d" "$root/etc/apt/sources.list.d" \
        "$root/etc/apt/trusted.gpg.d" "$root/var/lib/apt/lists/partial" "$root/var/cache/apt/archives/partial" "$root/var/log/apt" \
        "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/triggers" "$root/run"
    : >"$root/var/lib/dpkg/status"
    : >"$root/var/lib/dpkg/available"
    for old in greeter libgreet web; do package "$main" "$old" 1.0; done
    within "$root" dpkg --force-not-root --force-bad-path --log=/dev/null --install "$main"/*_1.0_all.deb >/dev/null
    echo '# changed by hand' >>"$root/etc/greeter/greeter.conf"
    package "$main" greeter 1.1
    package "$main" web 1.1
    package "$security" libgreet 1.1
    package "$spoiled" web 1.2+broken
    release "$main" Debian stable
    release "$security" Debian-Security stable-security
    release "$spoiled" Debian stable
    printf 'deb [trusted=yes] file:%s ./\ndeb [trusted=yes] file:%s ./\n' "$main" "$security" >"$root/etc/apt/sources.list"
    settings "$root"
    within "$root" apt-get -qq update
    rm -f "$root"/var/cache/apt/*.bin
    mv "$root" "$folder/template"
}

make() {
    [ ! -d "$folder/machines/$name/now" ] || { root=$folder/machines/$name/now; return 0; }
    template
    root=$folder/machines/$name/now
    mkdir -p "$folder/machines/$name"
    rm -rf "$root.new"
    cp -a "$folder/template" "$root.new"
    settings "$root.new"
    sed -i "s|$root.new|$root|g" "$root.new/etc/apt/apt.conf"
    mv "$root.new" "$root"
}

case $what in
make) make ;;
keep)
    [ -d "$folder/machines/$name/now" ] || exit 0
    rm -rf "$folder/machines/$name/kept-$kept"
    cp -a "$folder/machines/$name/now" "$folder/machines/$name/kept-$kept"
    ;;
back)
    # One that nobody had looked into then was as all begin.
    [ -d "$folder/machines/$name/now" ] || exit 0
    mv "$folder/machines/$name/now" "$folder/machines/$name/gone"
    if [ -d "$folder/machines/$name/kept-$kept" ]; then
        cp -a "$folder/machines/$name/kept-$kept" "$folder/machines/$name/now"
    else
        make
    fi
    rm -rf "$folder/machines/$name/gone"
    ;;
drop) rm -rf "$folder/machines/$name/kept-$kept" ;;
spoil)
    make
    printf 'deb [trusted=yes] file:%s ./\n' "$folder/repositories/spoiled" >>"$root/etc/apt/sources.list"
    within "$root" apt-get -qq update
    ;;
esac
