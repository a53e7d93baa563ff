# Makes packages with rpm: alpha, beta and gamma of version 1.0 are installed, 1.1 is in /srv/repo, and beta is for security.
set -e
export HOME=/root
rm -rf /var/lib/dpkg /var/lib/rpm
mkdir -p /srv/spec /srv/repo
make() {
    cat >"/srv/spec/$1.spec" <<END
Name: $1
Version: $2
Release: 1
Summary: a package of a test
License: MIT
BuildArch: noarch
%description
A package of a test.
%install
mkdir -p %{buildroot}/etc %{buildroot}/usr/share/$1
echo "version = $2" >%{buildroot}/etc/$1.conf
echo $2 >%{buildroot}/usr/share/$1/version
%files
%config(noreplace) /etc/$1.conf
/usr/share/$1/version
END
    rpmbuild -bb --quiet --define '_rpmdir /srv/repo' --define '_topdir /srv/build' \
        --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' "/srv/spec/$1.spec" >/dev/null 2>&1
}
rpm --initdb
for name in alpha beta gamma; do make $name 1.0; done
rpm -i --nodeps /srv/repo/*-1.0-*.rpm 2>/dev/null
echo 'changed by hand' >>/etc/alpha.conf
for name in alpha beta gamma; do make $name 1.1; done
cat >/srv/updateinfo.xml <<END
<?xml version="1.0" encoding="UTF-8"?>
<updates><update from="test@example.org" status="stable" type="security" version="1"><id>TEST-1</id><title>beta</title>
<severity>Important</severity><issued date="2026-01-01 00:00:00"/><description>a hole</description><references/>
<pkglist><collection short="t"><name>t</name><package name="beta" version="1.1" release="1" epoch="0" arch="noarch"
src="beta-1.1-1.src.rpm"><filename>beta-1.1-1.noarch.rpm</filename></package></collection></pkglist></update></updates>
END
createrepo_c -q /srv/repo
modifyrepo_c --mdtype=updateinfo /srv/updateinfo.xml /srv/repo/repodata >/dev/null
set +e
