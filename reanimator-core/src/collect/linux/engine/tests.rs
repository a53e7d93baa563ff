#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use serde_json::{Value, json};

use super::{
    Now, Wanted,
    compose::{self, Project},
    recreate::recreation,
    update,
};
use crate::model::{ContainerVerb, facts::containers::EngineKind};

macro_rules! recorded {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/recordings/linux/engine/", $name))
    };
}

fn described(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn web() -> Value {
    described(recorded!("container-debian-12.json"))
}

fn image() -> Value {
    described(recorded!("image-debian-12.json"))
}

#[test]
fn a_container_may_be_named_with_its_engine() {
    let podman = Wanted::parse("podman:web_1.a-b").unwrap();
    assert_eq!((podman.engine, podman.name.as_str()), (Some(EngineKind::Podman), "web_1.a-b"));
    assert_eq!(Wanted::parse("web").unwrap().engine, None);
    for text in ["", "-f", "a b", "web;reboot", "$(reboot)", "lxc:web", "docker:", "docker:-f", "a/b"] {
        assert_eq!(Wanted::parse(text), None, "{text}");
    }
}

#[test]
fn who_has_a_container_is_read_and_who_cannot_say() {
    let web = json!([web()]).to_string();
    let wanted = Wanted::parse("rec-web").unwrap();
    let look = wanted.read(&format!("@docker {web}\n@podman !Error: no such container rec-web\n"));
    assert_eq!((look.found.len(), look.engines.len(), look.complaints.len()), (1, 2, 0));
    assert_eq!((look.found[0].status.as_str(), look.found[0].health.as_deref()), ("running", Some("healthy")));

    let both = wanted.read(&format!("@docker {web}\n@podman {}\n", web.replace("\"Id\":\"", "\"Id\":\"f")));
    assert_eq!(both.found.len(), 2);
    let the_same = wanted.read(&format!("@docker {web}\n@podman {web}\n"));
    assert_eq!(the_same.found.len(), 1, "`docker` may be another word for Podman");
    assert_eq!(the_same.found[0].engine, EngineKind::Podman);

    // The engine takes the beginning of an id for a name.
    let id = described(&web)[0]["Id"].as_str().unwrap()[..3].to_owned();
    assert!(Wanted { name: id, engine: None }.read(&format!("@docker {web}\n")).found.is_empty());
    let silent = wanted.read("@docker !Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n");
    assert_eq!((silent.found.len(), silent.complaints.len()), (0, 1));
}

#[test]
fn a_container_of_podman_is_told_from_one_that_docker_lacks() {
    let look = Wanted::parse("pweb").unwrap().read(recorded!("look-debian-12.txt"));
    assert_eq!((look.engines.len(), look.complaints.len(), look.found.len()), (2, 0, 1), "{look:?}");
    let now = &look.found[0];
    assert_eq!((now.engine, now.status.as_str(), now.image.as_str()), (EngineKind::Podman, "running", "localhost/p:1"));
    assert!(now.started_at.starts_with("2026-11-26"), "{now:?}");
}

#[test]
fn what_else_keeps_a_container_is_told() {
    let mut web = web();
    web["Config"]["Labels"] = json!({ "PODMAN_SYSTEMD_UNIT": "web.service", "com.docker.compose.project": "shop" });
    let now = Now::of(&web, EngineKind::Podman).unwrap();
    assert_eq!(now.keeper.as_deref(), Some("the systemd unit web.service"));
    assert_eq!(now.project.as_deref(), Some("shop"));
}

#[test]
fn a_container_is_made_again_with_what_is_its_own_and_without_what_is_the_images() {
    let again = recreation(&web(), &image()).unwrap();
    let create = &again.create;
    assert_eq!(create["Image"], "rec/app:1");
    assert_eq!(create["Env"], json!(["ODD=a \"b\" $c", "TOKEN=secret"]));
    assert_eq!(create["Labels"], json!({ "mine": "1" }));
    assert_eq!(create["Cmd"], json!(["/bin/httpd", "-f", "-p", "80", "-h", "/data"]));
    assert_eq!((create["User"].as_str(), create["Hostname"].as_str()), (Some("0:0"), Some("webby")));
    assert_eq!((&create["StopTimeout"], &create["Healthcheck"]["Test"][1]), (&json!(3), &json!("true")));
    for of_image in ["WorkingDir", "Entrypoint", "OnBuild"] {
        assert_eq!(create.get(of_image), None, "{of_image}");
    }
    assert_eq!((&create["ExposedPorts"], &create["Volumes"]), (&json!({}), &json!({})));
}

#[test]
fn what_the_engine_was_told_of_a_container_goes_back_as_it_came() {
    let (mut web, image) = (web(), image());
    web["HostConfig"]["FromTomorrow"] = json!({ "a": 1 });
    let host = recreation(&web, &image).unwrap().create["HostConfig"].clone();
    let volume = web["Mounts"][2]["Name"].as_str().unwrap();
    assert_eq!(host["Binds"], json!(["rec-vol:/vol:ro", format!("{volume}:/data")]), "data without a name is kept");
    let others = |host: &Value| {
        let mut host = host.clone();
        host.as_object_mut().unwrap().remove("Binds");
        host
    };
    assert_eq!(others(&host), others(&web["HostConfig"]));
}

#[test]
fn networks_keep_what_was_asked_of_them() {
    let again = recreation(&web(), &image()).unwrap();
    let endpoints = &again.create["NetworkingConfig"]["EndpointsConfig"];
    let asked = json!({ "rec-net": { "IPAMConfig": { "IPv4Address": "10.99.7.20" }, "Aliases": ["www", "webby"] } });
    assert_eq!(endpoints, &asked);
    assert_eq!(again.connect, [("rec-two".to_owned(), json!({ "EndpointConfig": { "Aliases": ["webby"] } }))]);

    let mut addressed = web();
    addressed["Config"]["MacAddress"] = json!("02:42:00:00:00:01");
    let again = recreation(&addressed, &image()).unwrap().create;
    assert_eq!(again["NetworkingConfig"]["EndpointsConfig"]["rec-net"]["MacAddress"], "02:42:00:00:00:01");
}

#[test]
fn an_old_link_is_asked_for_as_the_engine_takes_it() {
    let again = recreation(&described(recorded!("linked-debian-12.json")), &image()).unwrap().create;
    assert_eq!(again["HostConfig"]["Links"], json!(["rec-db:db"]));
    assert_eq!((again.get("Cmd"), again.get("Hostname")), (None, None), "the image's command, and no name of its own");
}

#[test]
fn what_would_be_lost_is_a_reason_to_refuse() {
    let refused = |change: fn(&mut Value)| {
        let mut web = web();
        change(&mut web);
        recreation(&web, &image()).err().unwrap_or_default().join("; ")
    };
    assert!(refused(|web| web["Config"]["FromTomorrow"] = json!("x")).contains("its FromTomorrow would be lost"));
    assert!(
        refused(|web| web["NetworkSettings"]["Networks"]["rec-two"]["Speed"] = json!(3)).contains("Speed in network")
    );
    assert!(refused(|web| web["Config"]["Image"] = json!("rec/app@sha256:00")).contains("pinned"));
    assert!(refused(|web| web["Config"]["Image"] = web["Image"].clone()).contains("without a name"));
    assert_eq!(refused(|web| web["Config"]["FromTomorrow"] = json!("")), "", "what says nothing is not lost");
}

#[test]
fn whether_an_image_is_the_newest_is_seen_by_its_digest() {
    let text = recorded!("update-debian-12.txt");
    let container = text.lines().next().unwrap().trim_start_matches("@container ");
    let now = Now::of(&described(container), EngineKind::Docker).unwrap();
    let before = update::read(text, &now);
    assert_eq!((now.name.as_str(), now.image.as_str()), ("web", "localhost:5000/app:1"));
    assert!(before.is_newest() && before.held_by.is_empty() && before.lacks.is_none(), "{before:?}");
    let newer = update::read(&text.replace("\"digest\":\"sha256:", "\"digest\":\"sha256:0"), &now);
    assert!(!newer.is_newest());
    let silent = update::read(&text.replace("@newest {", "@newest "), &now);
    assert!(!silent.is_newest(), "a registry that says nothing is no news");

    let held =
        format!("{text}@other /a container:{}  private null\n@other /b default  private [\"/web:/b/w\"]\n", now.id);
    assert_eq!(update::read(&held, &now).held_by, ["a", "b"]);
}

#[test]
fn secrets_of_a_container_stand_on_no_command_line() {
    let web = web();
    let now = Now::of(&web, EngineKind::Docker).unwrap();
    let place = update::place(&now, &web, "reanimator-o1-0");
    let again = recreation(&web, &image()).unwrap();
    let shown = format!("{:?}{:?}", place, update::calls(&now, None, &again, "reanimator-o1-0"));
    assert!(!shown.contains("secret"), "{shown}");
    assert!(shown.contains("docker stop c6af993b81bd") && shown.contains("unless-stopped"), "{shown}");
    let job = update::job("reanimator-o1-0", &place, None, &again);
    assert!(!job.body.contains("secret") && job.environment["CREATE"].contains("secret"));
}

#[test]
fn a_project_is_changed_by_the_compose_that_made_it() {
    let one = Project::read(recorded!("compose-1-debian-12.txt"));
    assert_eq!((one.containers.len(), one.made_by.as_str()), (2, "1.29.2"));
    assert_eq!(one.files, ["/srv/one/docker-compose.yml"], "Compose 1 writes down what it was given");
    let tool = one.tool().unwrap();
    let start = one.commands(tool, "one", ContainerVerb::Start);
    let words =
        "docker-compose --project-name one --project-directory /srv/one --file /srv/one/docker-compose.yml start";
    assert_eq!(start.iter().map(|words| words.join(" ")).collect::<Vec<_>>(), [words]);

    let two = Project::read(recorded!("compose-2-debian-12.txt"));
    let tool = two.tool().unwrap();
    assert_eq!((tool.words.join(" ").as_str(), tool.version.as_str()), ("docker compose", "2.26.1-4"));
    let update = two.commands(tool, "two", ContainerVerb::Update);
    assert_eq!(update.len(), 2);
    assert!(update[0].ends_with(&["/srv/two/compose.yaml".into(), "pull".into()]), "{update:?}");
    assert!(update[1].ends_with(&["up".into(), "--detach".into()]), "{update:?}");
}

#[test]
fn an_older_compose_does_not_change_what_a_newer_one_made() {
    let text = recorded!("compose-2-debian-12.txt");
    let only =
        |tool: &str| Project::read(&text.lines().filter(|line| !line.contains(tool)).collect::<Vec<_>>().join("\n"));
    assert!(only("docker compose").tool().unwrap_err().contains("was made by Compose 2.26.1"));
    assert!(only("@tool").tool().unwrap_err().contains("neither"));
    let one = recorded!("compose-1-debian-12.txt").replace("@tool 1.29.2 docker-compose", "");
    assert_eq!(Project::read(&one).tool().unwrap().version, "2.26.1-4", "a newer one knows what an older one made");
}

#[test]
fn a_project_that_is_stopped_stays_so_when_it_is_updated() {
    let text = recorded!("compose-2-debian-12.txt").replace("\"Status\":\"running\"", "\"Status\":\"exited\"");
    let two = Project::read(&text);
    let update = two.commands(two.tool().unwrap(), "two", ContainerVerb::Update);
    assert!(update[1].ends_with(&["up".into(), "--no-start".into()]), "{update:?}");
    for name in ["", "Shop", "-p", "a b", "a/b", "$(reboot)"] {
        assert!(!compose::is_project(name), "{name}");
    }
}
