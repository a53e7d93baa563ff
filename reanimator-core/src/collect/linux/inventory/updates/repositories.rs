//! Where packages come from.

use super::super::{Answers, words::clip};
use crate::model::facts::{
    Read,
    updates::{Repository, Updates},
};

/// The most repositories that are told about.
const REPOSITORIES_LIMIT: usize = 200;

/// The files that name repositories line by line, empty lines too, as they part paragraphs; then the age of lists and
/// what says whether updates install themselves.
pub(super) const QUESTION: &str = "grep -Hs \"\" /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources /etc/yum.repos.d/*.repo /etc/zypp/repos.d/*.repo /etc/pacman.conf /etc/apk/repositories; echo @end; \
    stat -c \"fetched:%Y %Z %n\" /var/lib/apt/periodic/update-success-stamp /var/lib/apt/lists /var/lib/apt/lists/partial /var/cache/dnf/*/repodata/repomd.xml /var/cache/libdnf5/*/repodata/repomd.xml /var/cache/yum/*/*/*/repomd.xml \
    /var/cache/zypp/raw/*/repodata/repomd.xml /var/lib/pacman/sync/*.db /var/cache/apk/APKINDEX.*.tar.gz /etc/apk/cache/APKINDEX.*.tar.gz 2>/dev/null; \
    grep -hsE \"^ *(APT::Periodic::Unattended-Upgrade |apply_updates)\" /etc/apt/apt.conf.d/* /etc/dnf/automatic.conf /etc/dnf/dnf5-plugins/automatic.conf | while read -r l; do echo \"@set $l\"; done; \
    for f in /usr/bin/unattended-upgrade /etc/systemd/system/timers.target.wants/dnf*-automatic*.timer; do if [ -e $f ]; then echo has:$f; fi; done; exit 0";

pub(super) fn parse(answers: &Answers, read: &mut Read<Updates>) {
    let text = match answers.said("updates-repositories", "repositories") {
        Ok(text) => text,
        Err(note) => return read.unseen.push(note),
    };
    let mut files: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines().take_while(|line| *line != "@end") {
        let Some((file, content)) = line.split_once(':') else { continue };
        match files.last_mut() {
            Some((known, lines)) if *known == file => lines.push(content),
            _ => files.push((file, vec![content])),
        }
    }
    let found = files.iter().flat_map(|(file, lines)| of_file(file, lines));
    read.facts.repositories = found.take(REPOSITORIES_LIMIT).collect();
}

fn of_file(file: &str, lines: &[&str]) -> Vec<Repository> {
    let mut found = match file {
        _ if file.ends_with(".sources") => paragraphs(lines),
        _ if file.ends_with(".repo") || file.ends_with("pacman.conf") => sections(lines),
        _ if file.ends_with("/apk/repositories") => lines.iter().filter_map(|line| apk(line)).collect(),
        _ => lines.iter().filter_map(|line| one_line(line)).collect(),
    };
    found.iter_mut().for_each(|repository| file.clone_into(&mut repository.file));
    found
}

/// The address without `user:password@`.
fn address(uri: &str) -> Option<String> {
    let uri = clip(uri)?;
    let Some((scheme, rest)) = uri.split_once("://") else { return Some(uri) };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or(host);
    Some(format!("{scheme}://{host}{path}"))
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().filter_map(clip).take(50).collect()
}

/// `deb [signed-by=...] https://deb.debian.org/debian bookworm main contrib`; with a `#` before it, it is off. Sources
/// of packages (`deb-src`) are left out.
fn one_line(line: &str) -> Option<Repository> {
    let line = line.trim();
    let enabled = !line.starts_with('#');
    let rest = line.trim_start_matches(['#', ' ', '\t']).strip_prefix("deb")?;
    let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(options) => options.split_once(']')?.1,
        None => rest,
    };
    let rest = rest.split('#').next()?;
    let words = words(rest);
    let [uri, suite, components @ ..] = &words[..] else { return None };
    // A comment in words may start with `deb`, too.
    uri.contains(':').then_some(())?;
    Some(Repository {
        uri: address(uri)?,
        suite: Some(suite.clone()),
        components: components.to_vec(),
        enabled,
        ..Repository::default()
    })
}

/// Paragraphs of `Field: value`, whose values go on in lines that start with a blank: `Types`, `URIs`, `Suites`,
/// `Components`, `Enabled`. One repository for each address and suite.
fn paragraphs(lines: &[&str]) -> Vec<Repository> {
    let mut found = Vec::new();
    for paragraph in lines.split(|line| line.trim().is_empty()) {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in paragraph.iter().filter(|line| !line.starts_with('#')) {
            if let (true, Some((_, value))) = (line.starts_with([' ', '\t']), fields.last_mut()) {
                value.push(' ');
                value.push_str(line);
            } else if let Some((name, value)) = line.split_once(':') {
                fields.push((name.trim().to_lowercase(), value.to_owned()));
            }
        }
        let field = |name: &str| {
            let value = fields.iter().find(|(field, _)| field == name);
            value.map(|(_, value)| words(value)).unwrap_or_default()
        };
        if !field("types").iter().any(|kind| kind == "deb") {
            continue;
        }
        let enabled =
            !field("enabled").iter().any(|value| ["no", "false", "0", "off", "without"].contains(&value.as_str()));
        for uri in field("uris").iter().filter_map(|uri| address(uri)) {
            for suite in field("suites") {
                let components = field("components");
                found.push(Repository {
                    uri: uri.clone(),
                    suite: Some(suite),
                    components,
                    enabled,
                    ..Repository::default()
                });
            }
            if found.len() > REPOSITORIES_LIMIT {
                return found;
            }
        }
    }
    found
}

/// `[fedora]`, then `baseurl=`, `metalink=` or `mirrorlist=` and `enabled=1` (yum, dnf, zypper), or `Server =` and
/// `Include =` (pacman, whose `[options]` is none).
fn sections(lines: &[&str]) -> Vec<Repository> {
    let mut found: Vec<Repository> = Vec::new();
    for line in lines.iter().map(|line| line.trim()).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            found.push(Repository { name: clip(name), enabled: true, ..Repository::default() });
        } else if let (Some((key, value)), Some(repository)) = (line.split_once('='), found.last_mut()) {
            let first = value.split_whitespace().next().and_then(address);
            match (key.trim().to_lowercase().as_str(), first) {
                ("baseurl" | "server", Some(uri)) => repository.uri = uri,
                ("metalink" | "mirrorlist" | "include", Some(uri)) if repository.uri.is_empty() => repository.uri = uri,
                ("enabled", Some(value)) => {
                    repository.enabled = !["0", "no", "false"].contains(&value.to_lowercase().as_str())
                }
                _ => {}
            }
        }
    }
    found.retain(|repository| repository.name.as_deref() != Some("options") && !repository.uri.is_empty());
    found
}

/// `https://dl-cdn.alpinelinux.org/alpine/v3.20/main`, with a `#` before it where it is off, and `@edge` before it where
/// only packages with that tag come from there.
fn apk(line: &str) -> Option<Repository> {
    let line = line.trim();
    let enabled = !line.starts_with('#');
    let rest = line.trim_start_matches(['#', ' ']);
    let (name, uri) = match rest.strip_prefix('@') {
        Some(tagged) => tagged.split_once(' ').map(|(tag, uri)| (clip(tag), uri.trim()))?,
        None => (None, rest),
    };
    let is_one = !uri.contains(' ') && (uri.contains("://") || uri.starts_with('/'));
    is_one.then_some(())?;
    Some(Repository { name, uri: address(uri)?, enabled, ..Repository::default() })
}
