# Makes packages of pacman: alpha, beta and gamma of version 1.0 are installed, 1.1 is in /srv/repo.
set -e
rm -rf /var/lib/dpkg /var/lib/pacman /usr/bin/zypper
mkdir -p /srv/repo /srv/lists /var/lib/pacman/local /var/lib/pacman/sync /var/cache/pacman/pkg
make() {
    tree=/srv/tree
    rm -rf $tree
    mkdir -p $tree/etc "$tree/usr/share/$1"
    echo "version = $2" >"$tree/etc/$1.conf"
    echo "$2" >"$tree/usr/share/$1/version"
    printf 'pkgname = %s\npkgver = %s\npkgdesc = a package of a test\nbuilddate = 1\nsize = 100\narch = any\nlicense = MIT\nbackup = etc/%s.conf\n' \
        "$1" "$2-1" "$1" >$tree/.PKGINFO
    (cd $tree && tar --owner=0 --group=0 -czf "/srv/repo/$1-$2-1-any.pkg.tar.gz" .PKGINFO etc usr)
}
listed() {
    file=$1-$2-1-any.pkg.tar.gz
    mkdir -p "/srv/lists/$1-$2-1"
    printf '%%FILENAME%%\n%s\n\n%%NAME%%\n%s\n\n%%VERSION%%\n%s\n\n%%CSIZE%%\n%s\n\n%%ISIZE%%\n100\n\n%%SHA256SUM%%\n%s\n\n%%ARCH%%\nany\n\n' \
        "$file" "$1" "$2-1" "$(stat -c %s "/srv/repo/$file")" "$(sha256sum "/srv/repo/$file" | cut -d ' ' -f 1)" \
        >"/srv/lists/$1-$2-1/desc"
}
printf '[options]\nArchitecture = auto\nSigLevel = Never\n[test]\nServer = file:///srv/repo\n' >/etc/pacman.conf
for name in alpha beta gamma; do make $name 1.0; done
pacman -U --noconfirm /srv/repo/*-1.0-*.gz >/dev/null 2>&1
echo 'changed by hand' >>/etc/alpha.conf
for name in alpha beta gamma; do make $name 1.1 && listed $name 1.1; done
(cd /srv/lists && tar -czf /srv/repo/test.db *)
set +e
