//! What every store must keep to, whatever it is built on: run over each of them.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use jiff::Timestamp;
use secrecy::ExposeSecret;

use crate::{
    ErrorKind,
    model::{
        Connection, ConnectionId, Endpoint, Host, HostId, HostKind, HostState, HostView, Identity, Link, ProxmoxAuth,
        ProxmoxReach, Reach, SshReach, Sudo, Telemetry,
    },
};

use super::Store;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// An SSH connection of that id.
pub(crate) fn ssh(id: &str) -> Connection {
    let reach = SshReach {
        address: "192.0.2.1".into(),
        port: 22,
        user: "root".into(),
        jumps: vec![],
        use_agent: false,
        key_files: Vec::new(),
        sudo: Sudo::None,
        host_key: None,
    };
    Connection { id: id.into(), name: id.into(), reach: Reach::Ssh(reach), credentials_changed_at: None }
}

/// A Proxmox connection of that id and name.
pub(crate) fn proxmox(id: &str, name: &str) -> Connection {
    let reach = ProxmoxReach {
        endpoints: vec![Endpoint { url: "https://192.0.2.7:8006".into(), fingerprint: None, node: None }],
        auth: ProxmoxAuth::Token { id: "root@pam!fleet".into() },
    };
    Connection { id: id.into(), name: name.into(), reach: Reach::Proxmox(reach), credentials_changed_at: None }
}

/// A host that comes in by those links; its id is `id-NAME`.
pub(crate) fn host(name: &str, links: &[Link]) -> Host {
    Host {
        id: HostId(format!("id-{name}")),
        name: name.into(),
        groups: ["web".to_owned()].into(),
        tags: Default::default(),
        maintenance: false,
        links: links.to_vec(),
    }
}

pub(crate) fn by_ssh(connection: &str) -> Link {
    Link::Ssh { connection: connection.into() }
}

pub(crate) fn node(connection: &str, node: &str) -> Link {
    Link::ProxmoxNode { connection: connection.into(), node: node.into() }
}

fn guest(connection: &str) -> Link {
    Link::Guest { connection: connection.into(), vmid: 100 }
}

/// A view of the host of that name.
pub(crate) fn view(name: &str, cpu_percent: f64) -> HostView {
    HostView {
        id: HostId(format!("id-{name}")),
        name: name.into(),
        kind: HostKind::Linux,
        state: HostState::Online,
        address: None,
        groups: Default::default(),
        tags: Default::default(),
        cluster: None,
        cpu_percent: Some(cpu_percent),
        cpus: Some(8),
        load: Some([0.1, 0.2, 0.3]),
        memory: None,
        swap: None,
        disk: None,
        network: None,
        uptime_seconds: Some(1),
        os: None,
        kernel: None,
        proxmox_version: None,
        guests: None,
        guest_of: None,
        observed_at: Some(at(1_000)),
        age_seconds: None,
        via: vec!["ssh".into()],
        clock_skew_seconds: None,
        problem: None,
        unseen: vec![],
    }
}

fn names(hosts: &[Host]) -> Vec<&str> {
    hosts.iter().map(|host| host.name.as_str()).collect()
}

pub(crate) async fn hosts(store: &dyn Store) {
    let local =
        Connection { id: "c-local".into(), name: "local".into(), reach: Reach::Local, credentials_changed_at: None };
    store.insert_connection(&local).await.unwrap();
    let link = Link::Local { connection: "c-local".into() };
    let odd = "wéb \"1\" $(reboot)\n'; DROP TABLE hosts; --";
    store.insert_host(&host("web2", std::slice::from_ref(&link))).await.unwrap();
    store.insert_host(&host(odd, std::slice::from_ref(&link))).await.unwrap();
    assert_eq!(names(&store.hosts().await.unwrap()), ["web2", odd]);
    assert_eq!(store.host(&"id-web2".into()).await.unwrap(), Some(host("web2", std::slice::from_ref(&link))));
    assert_eq!(store.host(&"nobody".into()).await.unwrap(), None);

    let twin = Host { id: "another".into(), ..host("web2", std::slice::from_ref(&link)) };
    assert_eq!(store.insert_host(&twin).await.unwrap_err().kind(), ErrorKind::Conflict);
    let renamed = Host { name: "web3".into(), maintenance: true, ..host("web2", std::slice::from_ref(&link)) };
    store.update_host(&renamed).await.unwrap();
    assert_eq!(store.host(&renamed.id).await.unwrap(), Some(renamed.clone()));
    let taken = Host { name: odd.into(), ..renamed.clone() };
    assert_eq!(store.update_host(&taken).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(store.update_host(&host("nobody", &[link])).await.unwrap_err().kind(), ErrorKind::NotFound);
    // Each edit sees what the one before it wrote.
    let tag = |tag: &'static str| Box::new(move |host: &mut Host| host.tags.extend([tag.to_owned()]));
    store.edit_host(&renamed.id, tag("a")).await.unwrap();
    let both = store.edit_host(&renamed.id, tag("b")).await.unwrap();
    assert_eq!(both.tags, ["a".to_owned(), "b".to_owned()].into());
    assert_eq!(store.host(&renamed.id).await.unwrap(), Some(both));
    assert_eq!(store.edit_host(&"nobody".into(), tag("c")).await.unwrap_err().kind(), ErrorKind::NotFound);
    let rename = Box::new(move |host: &mut Host| host.name = odd.into());
    assert_eq!(store.edit_host(&renamed.id, rename).await.unwrap_err().kind(), ErrorKind::Conflict);
    let dangling = host("db", &[by_ssh("c-nothing")]);
    assert_eq!(store.insert_host(&dangling).await.unwrap_err().kind(), ErrorKind::Invalid);

    store.remove_host(&renamed.id).await.unwrap();
    assert_eq!(names(&store.hosts().await.unwrap()), [odd]);
    assert_eq!(store.remove_host(&renamed.id).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(store.connections().await.unwrap(), [local], "the other host still comes in by it");
}

pub(crate) async fn connections(store: &dyn Store) {
    let password = vec![("password".to_owned(), "correct horse".into())];
    let web = host("web", &[by_ssh("c-web"), guest("c-pve")]);
    let nodes = [host("pve1", &[node("c-pve", "pve1")]), host("pve2", &[node("c-pve", "pve2"), by_ssh("c-pve2")])];
    store.insert_connection(&ssh("c-pve2")).await.unwrap();
    store.save_connection_with_hosts(&proxmox("c-pve", "lab"), &password, &nodes).await.unwrap();
    store.save_host_with_connection(&web, &ssh("c-web"), &password).await.unwrap();
    assert_eq!(names(&store.hosts().await.unwrap()), ["pve1", "pve2", "web"]);
    let secret = store.get_secret("c-web", "password").await.unwrap().unwrap();
    assert_eq!(secret.expose_secret(), "correct horse");

    let twin = store.insert_connection(&proxmox("c-other", "lab")).await.unwrap_err();
    assert_eq!(twin.kind(), ErrorKind::Conflict);
    assert_eq!(store.update_connection(&ssh("c-nobody")).await.unwrap_err().kind(), ErrorKind::NotFound);
    let moved = Connection { name: "moved".into(), ..ssh("c-web") };
    store.update_connection(&moved).await.unwrap();
    assert_eq!(store.connection(&"c-web".into()).await.unwrap(), Some(moved));

    // A clash in the middle leaves nothing behind.
    let clash = host("pve1", &[by_ssh("c-new")]);
    let clash = Host { id: "id-new".into(), ..clash };
    let error = store.save_host_with_connection(&clash, &ssh("c-new"), &password).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(store.connection(&"c-new".into()).await.unwrap(), None);
    assert!(store.secret_names("c-new").await.unwrap().is_empty());

    let gone = store.remove_connection(&"c-pve".into()).await.unwrap();
    assert_eq!(gone, [HostId::from("id-pve1")], "only the host to which nothing else leads");
    assert_eq!(store.host(&"id-pve2".into()).await.unwrap().unwrap().links, [by_ssh("c-pve2")]);
    assert_eq!(store.host(&web.id).await.unwrap().unwrap().links, [by_ssh("c-web")]);
    assert!(store.get_secret("c-pve", "password").await.unwrap().is_none());
    assert_eq!(store.remove_connection(&"c-pve".into()).await.unwrap_err().kind(), ErrorKind::NotFound);

    store.remove_host(&web.id).await.unwrap();
    assert_eq!(store.connections().await.unwrap(), [ssh("c-pve2")]);
    assert!(store.secret_names("c-web").await.unwrap().is_empty());
}

pub(crate) async fn secrets(store: &dyn Store) {
    store.put_secret("c-web", "password", &"first".into()).await.unwrap();
    store.put_secret("c-web", "password", &"second \u{1f511}".into()).await.unwrap();
    store.put_secret("c-web", "key", &"".into()).await.unwrap();
    store.put_secret("c-db", "password", &"other".into()).await.unwrap();
    let read = store.get_secret("c-web", "password").await.unwrap().unwrap();
    assert_eq!(read.expose_secret(), "second \u{1f511}");
    assert_eq!(store.get_secret("c-web", "key").await.unwrap().unwrap().expose_secret(), "");
    assert_eq!(store.secret_names("c-web").await.unwrap(), ["key", "password"]);
    assert!(store.delete_secret("c-web", "password").await.unwrap());
    assert!(!store.delete_secret("c-web", "password").await.unwrap());
    assert!(store.get_secret("c-web", "password").await.unwrap().is_none());
    assert!(store.get_secret("c-db", "password").await.unwrap().is_some());
}

pub(crate) async fn state(store: &dyn Store) {
    let pve = proxmox("c-pve", "lab");
    let hosts = [host("a", &[node("c-pve", "a")]), host("b", &[node("c-pve", "b")])];
    store.save_connection_with_hosts(&pve, &[], &hosts).await.unwrap();
    store.put_views(&[]).await.unwrap();
    store.put_views(&[view("b", 1.0), view("a", 2.5), view("removed meanwhile", 3.0)]).await.unwrap();
    store.put_views(&[view("b", 99.9)]).await.unwrap();
    assert_eq!(store.views().await.unwrap(), [view("a", 2.5), view("b", 99.9)]);

    let a = HostId::from("id-a");
    let identity = Identity { machine_id: Some("0123".into()), ..Identity::default() };
    store.put_identity(&a, &identity).await.unwrap();
    store.put_identity(&"nobody".into(), &identity).await.unwrap();
    assert_eq!(store.identity(&a).await.unwrap(), Some(identity.clone()));
    assert_eq!(store.identities().await.unwrap(), [(a.clone(), identity)].into());

    let telemetry = |seconds| Telemetry { at: Some(at(seconds)), cpu_percent: Some(0.1), ..Telemetry::default() };
    store.put_telemetry(&[(a.clone(), telemetry(1)), ("id-b".into(), telemetry(2))]).await.unwrap();
    store.put_telemetry(&[(a.clone(), telemetry(3))]).await.unwrap();
    assert_eq!(store.telemetry(&a).await.unwrap(), Some(telemetry(3)));

    let connection = ConnectionId::from("c-pve");
    store.put_cluster(&connection, "{\"guests\":[]}", at(1)).await.unwrap();
    store.put_cluster(&connection, "{\"guests\":[1]}", at(2)).await.unwrap();
    store.put_cluster(&"removed meanwhile".into(), "{}", at(2)).await.unwrap();
    let clusters = store.clusters().await.unwrap();
    assert_eq!(clusters.len(), 1);
    assert_eq!((clusters[0].state.as_str(), clusters[0].at), ("{\"guests\":[1]}", at(2)));

    store.remove_host(&a).await.unwrap();
    assert_eq!(store.views().await.unwrap(), [view("b", 99.9)]);
    assert_eq!(store.identity(&a).await.unwrap(), None);
    store.remove_connection(&connection).await.unwrap();
    assert!(store.views().await.unwrap().is_empty());
    assert!(store.clusters().await.unwrap().is_empty());
}
