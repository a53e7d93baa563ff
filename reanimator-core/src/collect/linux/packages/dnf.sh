# Fedora, RHEL and its kin; also yum.
dnf_tool() { if has dnf; then echo dnf; else echo yum; fi; }

dnf_busy() {
    writer /run/yum.pid /var/run/yum.pid /var/cache/dnf/metadata_lock.pid /var/cache/dnf/download_lock.pid \
        /var/lib/dnf/rpmdb_lock.pid /var/log/log_lock.pid ||
        holder /usr/lib/sysimage/rpm/.rpm.lock /var/lib/rpm/.rpm.lock /run/dnf/rpmtransaction.lock
}

dnf_installed() { rpm -qa --qf '%{NAME}.%{ARCH} %{EPOCHNUM}:%{VERSION}-%{RELEASE}\n' | sed '/\.(none) /d; s/ 0:/ /'; }

dnf_security() { if has dnf; then echo --updates --security; else echo security; fi; }

dnf_survey() {
    tool=$(dnf_tool)
    echo @@held; grep -hsE '^[^#]' /etc/dnf/plugins/versionlock.list
    sed -n 's/^ *\(exclude\|excludepkgs\) *= *//p' /etc/dnf/dnf.conf /etc/yum.conf 2>/dev/null
    echo @@broken; limit 60 rpm -Va --nofiles --noscripts --nodigest --nosignature 2>/dev/null | grep '^Unsatisfied dependencies' -A 3 | head -n 40
    echo @@pending; limit 90 $tool -q -C check-update 2>/dev/null; status=$?
    if ls /var/cache/dnf/*/repodata/*updateinfo* /var/cache/libdnf5/*/repodata/*updateinfo* /var/cache/yum/*/*/*/*updateinfo* 2>/dev/null | grep -q .; then
        echo @@advisories
    fi
    echo @@security; limit 60 $tool -q -C updateinfo list $(dnf_security) 2>/dev/null || echo @@nosecurity
    echo @@rpm; rpm -qa --qf '%{NAME}.%{ARCH} %{EPOCHNUM}:%{VERSION}-%{RELEASE};'; echo
    echo @@sizes; limit 90 $tool -C --assumeno upgrade 2>/dev/null |
        grep -E '^(Total download size|Total size|Total size of inbound|After this operation|Installed size)' | head -n 5
    echo @@rooms; room 0 /var/cache/dnf; room 0 /usr
    echo @@kernels; room_of_kernels
    echo @@refreshed; stat -c %Z /var/cache/dnf/*/repodata/repomd.xml /var/cache/libdnf5/*/repodata/repomd.xml 2>/dev/null
    echo @@status; echo "$status"
}

dnf_refresh() {
    if has dnf; then dnf -y makecache --refresh; else yum -y makecache fast; fi
}

dnf_upgrade() {
    tool=$(dnf_tool)
    for pattern; do
        shift
        set -- "$@" "--exclude=$pattern"
    done
    [ "$security" != yes ] || set -- "$@" --security
    $tool -y upgrade "$@"
}
