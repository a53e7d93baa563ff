//! Collector of [`Containers`].
//!
//! Docker is asked at its socket by `curl` where there is one, because each call of its command line costs 20 to 40 ms
//! of CPU; else by `docker inspect`, which says the same. Podman has no service that always runs, so its command line is
//! called, and only where its storage holds containers. Live figures come out of the kernel's control groups by one
//! `grep`, not from `docker stats`, which waits a second or two. They are counters: [`Containers::with_rates`] makes CPU
//! percent of two samples.
//!
//! Of each container's description only what [`Container`] names is kept:
//! never its environment, where secrets are.

mod cgroup;
mod inspect;

pub(super) use cgroup::container_of;

use super::{Answer, Answers, Question};
use crate::model::{
    Unseen,
    facts::{
        Read,
        containers::{Container, Containers, EngineKind},
    },
};

/// The most containers of one engine that are read.
const CONTAINERS_LIMIT: usize = 300;

/// What is asked every time.
pub fn questions() -> Vec<Question> {
    vec![
        docker("/var/run/docker.sock"),
        Question::new(
            "containers.podman",
            format!(
                "command -v podman >/dev/null 2>&1 || exit 0; d=/var/lib/containers/storage; [ -r $d ] || d=$HOME/.local/share/containers/storage; \
                 i=$(cat $d/*-containers/containers.json 2>/dev/null | grep -oE \".id.:.[0-9a-f]{{64}}\" | grep -oE \"[0-9a-f]{{64}}\" | head -n {CONTAINERS_LIMIT}); \
                 [ -n \"$i\" ] || exit 0; $T10 podman container inspect $i"
            ),
        ),
        Question::new(
            "containers.cgroups",
            // Control groups of version 2, then of version 1; those that systemd makes, then those that engines make.
            "cat /proc/uptime; g=/sys/fs/cgroup; f=; for c in $g $g/cpuacct $g/memory; do \
             for d in $c/system.slice/docker-*.scope $c/docker/* $c/machine.slice/libpod-*.scope $c/libpod_parent/libpod-* \
             $c/user.slice/user-*.slice/user@*.service/user.slice/libpod-*.scope $c/user.slice/user-*.slice/user@*.service/user.slice/docker-*.scope; do \
             [ -d $d ] && f=\"$f $d/cpu.stat $d/cpuacct.usage $d/memory.current $d/memory.usage_in_bytes $d/memory.stat\"; done; done; \
             [ -z \"$f\" ] || grep -Hs -E \"^(usage_usec|inactive_file|total_inactive_file|[0-9])\" $f",
        ),
    ]
}

/// The question to Docker at this socket: what the engine says of itself, then each container.
fn docker(socket: &str) -> Question {
    let text = format!(
        "S={socket}; [ -S $S ] || exit 0; [ -w $S ] || {{ echo Permission denied >&2; exit 1; }}; u=http://docker; \
         q() {{ $T10 curl -sS --noproxy \"*\" --unix-socket $S \"$@\"; }}; \
         if command -v curl >/dev/null 2>&1; then \
         i=$(q \"$u/containers/json?all=1\" | grep -oE \".Id.:.[0-9a-f]{{64}}\" | grep -oE \"[0-9a-f]{{64}}\" | head -n {CONTAINERS_LIMIT}); \
         q $u/info $(for c in $i; do echo $u/containers/$c/json; done); \
         elif command -v docker >/dev/null 2>&1; then $T10 docker -H unix://$S info --format \"{{{{json .}}}}\"; \
         i=$($T10 docker -H unix://$S ps -aq --no-trunc | head -n {CONTAINERS_LIMIT}); \
         [ -z \"$i\" ] || $T10 docker -H unix://$S inspect $i; \
         else echo @lacks curl >&2; exit 127; fi"
    );
    Question::new("containers.docker", text)
}

/// What is asked every few hours, as it costs Podman much: what it says of itself.
pub fn slow_questions() -> Vec<Question> {
    vec![Question::new(
        "containers.podman-info",
        "command -v podman >/dev/null 2>&1 || exit 0; $T10 podman info --format json",
    )]
}

/// Reads the answers to [`questions`].
pub fn parse(answers: &Answers) -> Read<Containers> {
    let mut read = Read::<Containers>::default();
    for (name, kind) in [("containers.docker", EngineKind::Docker), ("containers.podman", EngineKind::Podman)] {
        let Some(answer) = answers.get(name) else { continue };
        let (engines, containers, broken) = inspect::read(&answer.text, kind);
        let what = format!("containers of {}", kind.as_str());
        let silent = answer.text.trim().is_empty() && (answer.status != Some(0) || !answer.complaint.is_empty());
        if broken || silent {
            read.unseen.push(Unseen::new(what, why(answer, answers.root, broken)));
        } else if containers.len() >= CONTAINERS_LIMIT {
            read.unseen.push(Unseen::new(what, format!("there are more than {CONTAINERS_LIMIT}")));
        }
        read.facts.engines.extend(engines);
        read.facts.containers.extend(containers);
    }
    // Podman may answer at Docker's socket as well; its own words are the better ones.
    let of_podman = |container: &Container| container.engine == EngineKind::Podman;
    let doubled: Vec<String> = read.facts.containers.iter().filter(|c| of_podman(c)).map(|c| c.id.clone()).collect();
    read.facts.containers.retain(|container| of_podman(container) || !doubled.contains(&container.id));
    let use_of = cgroup::read(answers.text("containers.cgroups"));
    for container in &mut read.facts.containers {
        live(container, &use_of);
    }
    let known = |id: &String| read.facts.containers.iter().any(|container| container.id == *id);
    let cpu_seconds = use_of.by_id.iter().filter(|(id, _)| known(id));
    read.facts.counters.cpu_seconds =
        cpu_seconds.filter_map(|(id, used)| Some((id.clone(), used.cpu_seconds?))).collect();
    read.facts.counters.uptime_seconds = use_of.uptime_seconds;
    read.facts.containers.sort_by(|a, b| (a.engine, &a.name, &a.id).cmp(&(b.engine, &b.name, &b.id)));
    read
}

/// Why an answer is not whole.
fn why(answer: &Answer, root: bool, broken: bool) -> String {
    match answer.status {
        Some(0) if broken && answer.complaint.is_empty() => "the answer is no JSON".to_owned(),
        _ => answer.why(root),
    }
}

/// Gives a container that is up its use of memory.
fn live(container: &mut Container, use_of: &cgroup::Uses) {
    if matches!(container.state.as_str(), "running" | "paused") {
        container.memory_bytes = use_of.by_id.get(&container.id).and_then(cgroup::Use::memory);
    }
}

/// Reads the answers to [`slow_questions`].
pub fn parse_slow(answers: &Answers) -> Read<Containers> {
    let mut read = Read::<Containers>::default();
    let Some(answer) = answers.get("containers.podman-info") else { return read };
    let text = answer.text.trim();
    if text.is_empty() && answer.status == Some(0) && answer.complaint.is_empty() {
        return read;
    }
    match answers.json("containers.podman-info", "podman") {
        Ok(json) => read.facts.engines.extend(inspect::podman(&json)),
        Err(note) => read.unseen.push(note),
    }
    read
}

#[cfg(test)]
mod tests;
