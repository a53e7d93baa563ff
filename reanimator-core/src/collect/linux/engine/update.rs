//! What an update of a container of Docker needs to know first, and what carries it out.
//!
//! It goes by the engine's API at its socket, with `curl`: see [`recreate`](super::recreate) for why. The new container is made
//! beside the old one, which is stopped, renamed and kept until the new one is well; else it is put back. Both have the
//! name of the effect in theirs meanwhile, so that whoever comes later finds how far it got.

use serde_json::Value;

use super::{Now, recreate::Recreation};
use crate::collect::linux::job::JobSpec;

/// Puts back what an update has left half-way.
const BACK: &str = include_str!("back.sh");
const UPDATE: &str = include_str!("update.sh");

/// Asks for the container `$1`, the image `$2` that it has, what its registry has under the name `$3` (at most 15 s), the
/// image `$4` that it is to have, and what other containers share.
const LOOK: &str = r#"s=/var/run/docker.sock; [ -S $s ] || { echo "@lacks the socket $s"; exit 0; }
command -v curl >/dev/null 2>&1 || { echo "@lacks curl"; exit 0; }
q() { t=$1; shift; printf "%s %s\n" "$t" "$(curl -sS -f -m 15 --noproxy "*" --unix-socket $s "$@" 2>/dev/null)"; }
q @container "http://docker/containers/$1/json"
q @older "http://docker/v1.43/containers/$1/json"
q @image "http://docker/images/$2/json"
[ -n "$4" ] && q @wanted "http://docker/images/$4/json" || q @newest "http://docker/distribution/$3/json"
i=$(docker ps --all --quiet --no-trunc)
[ -z "$i" ] || docker container inspect --format "@other {{.Name}} {{.HostConfig.NetworkMode}} {{.HostConfig.PidMode}} {{.HostConfig.IpcMode}} {{json .HostConfig.Links}}" $i; exit 0"#;

/// What was seen before an update.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Before {
    /// What is missing on the host: `curl`.
    pub lacks: Option<String>,
    /// The container, as the API describes it.
    pub container: Value,
    /// Its image.
    pub image: Value,
    /// The digest that its registry has under its image's name; none where the registry does not say.
    pub newest: Option<String>,
    /// The id of the image that it is to have, where one was named and is there.
    pub wanted: Option<String>,
    /// Other containers that hold on to this very one.
    pub held_by: Vec<String>,
}

/// The program and its words that ask for [`Before`].
pub fn words(now: &Now, image: Option<&str>) -> Vec<String> {
    ["sh", "-c", LOOK, "sh", &now.id, &now.image_id, &now.image, image.unwrap_or_default()].map(str::to_owned).to_vec()
}

/// Reads what came of that.
pub fn read(text: &str, now: &Now) -> Before {
    let mut before = Before::default();
    for line in text.lines() {
        let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
        let json = || serde_json::from_str::<Value>(rest).unwrap_or_default();
        match what {
            "@lacks" => before.lacks = Some(rest.to_owned()),
            "@container" => before.container = json(),
            // Only an older description tells a hardware address that somebody gave; not each engine still has it.
            "@older" => {
                let given = json()["Config"]["MacAddress"].take();
                if given.as_str().is_some_and(|given| !given.is_empty()) && before.container["Config"].is_object() {
                    before.container["Config"]["MacAddress"] = given;
                }
            }
            "@image" => before.image = json(),
            "@newest" => before.newest = json()["Descriptor"]["digest"].as_str().map(str::to_owned),
            "@wanted" => before.wanted = json()["Id"].as_str().map(str::to_owned),
            "@other" => before.held_by.extend(holder(rest, now)),
            _ => {}
        }
    }
    before
}

/// `/NAME NETWORK PID IPC LINKS`: the name, where one of these is of `now`.
fn holder(text: &str, now: &Now) -> Option<String> {
    let mut words = text.splitn(5, ' ');
    let name = words.next()?.trim_start_matches('/');
    let is_it = |other: &str| other == now.name || other == now.id;
    let shares = words.by_ref().take(3).any(|mode| mode.strip_prefix("container:").is_some_and(is_it));
    let links: Vec<String> = serde_json::from_str(words.next().unwrap_or_default()).unwrap_or_default();
    let linked = links.iter().any(|link| link.split(':').next().is_some_and(|to| is_it(to.trim_start_matches('/'))));
    (shares || linked).then(|| name.to_owned())
}

impl Before {
    /// Whether its image is what its registry has.
    pub fn is_newest(&self) -> bool {
        let Some(newest) = &self.newest else { return false };
        let digests = self.image["RepoDigests"].as_array().into_iter().flatten().filter_map(Value::as_str);
        digests.filter_map(|digest| digest.split_once('@')).any(|(_, digest)| digest == newest)
    }
}

/// The restart policy as `docker update` takes it.
fn policy(container: &Value) -> String {
    let policy = &container["HostConfig"]["RestartPolicy"];
    match (policy["Name"].as_str().unwrap_or_default(), policy["MaximumRetryCount"].as_u64()) {
        ("", _) => "no".to_owned(),
        (name, Some(most)) if most > 0 => format!("{name}:{most}"),
        (name, _) => name.to_owned(),
    }
}

/// What puts a container back, and an update needs too, as variables for the shell. Nothing of it is secret.
pub fn place(now: &Now, container: &Value, effect: &str) -> Vec<(&'static str, String)> {
    vec![
        ("NAME", now.name.clone()),
        ("OLD", now.id.clone()),
        ("REF", now.image.clone()),
        ("WAS", now.image_id.clone()),
        ("RAN", if now.is_up() { "yes" } else { "no" }.to_owned()),
        ("POLICY", policy(container)),
        ("EFFECT", effect.to_owned()),
    ]
}

/// The job that carries it out; `image` is one that is there, else the newest is fetched.
pub fn job(effect: &str, place: &[(&'static str, String)], image: Option<&str>, again: &Recreation) -> JobSpec {
    let connect = again.connect.iter().map(|(network, body)| format!("{network} {body}\n")).collect::<String>();
    let spec = JobSpec::new(effect, format!("{BACK}\n{UPDATE}"))
        .variable("IMAGE", image.unwrap_or_default())
        .variable("CREATE", again.create.to_string())
        .variable("CONNECT", connect.trim_end());
    place.iter().fold(spec, |spec, (name, value)| spec.variable(*name, value))
}

/// The program and its words that put it back: a shell that reads its variables from `$1 VALUE $2 VALUE ...`.
pub fn back(place: &[(String, String)]) -> Vec<String> {
    let words = ["env".to_owned()].into_iter().chain(place.iter().map(|(name, value)| format!("{name}={value}")));
    words.chain(["sh", "-c"].map(str::to_owned)).chain([format!("{BACK}\nback")]).collect()
}

/// What an update does, for people.
pub fn calls(now: &Now, image: Option<&str>, again: &Recreation, effect: &str) -> Vec<String> {
    let (name, old) = (&now.name, now.id.get(..12).unwrap_or(&now.id));
    let (new, before) = (format!("{name}-new-{effect}"), format!("{name}-before-{effect}"));
    let fetch = match image {
        Some(image) => format!("docker tag {image} {}", now.image),
        None => format!("docker pull {}", now.image),
    };
    let mut calls = vec![fetch, format!("POST /containers/create?name={new}")];
    calls.extend(again.connect.iter().map(|(network, _)| format!("POST /networks/{network}/connect")));
    calls.extend([
        format!("docker update --restart no {old}"),
        format!("docker stop {old}"),
        format!("docker rename {old} {before}"),
        format!("docker rename {new} {name}"),
    ]);
    if now.is_up() {
        calls.push(format!("docker start {name}"));
    }
    calls.push(format!("docker rm {before}"));
    calls
}
