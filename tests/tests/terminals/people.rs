//! Who may, from where, and what stands in the audit trail.

use std::time::Duration;

use reanimator_core::access::{NewPassword, Role, UserChange};
use secrecy::SecretString;
use serde_json::json;

use super::{
    Came, Service, machine, soon,
    support::{ssh_host, sshd::Sshd},
    token,
};

#[tokio::test(flavor = "multi_thread")]
async fn only_an_admin_of_our_own_page_gets_in_and_is_let_go_when_no_more() {
    let (service, sshd) = (Service::start().await, Sshd::start());
    let host = service.add(ssh_host("web1", &sshd)).await;
    let id = service.open(&machine(&host)).await;
    for role in [Role::Viewer, Role::Operator] {
        let token = token(&service.fleet, role).await;
        let bearer = format!("Bearer {token}");
        assert_eq!(service.socket(&id, None, &[("authorization", &bearer)]).await.err(), Some(403), "{role}");
        let body = json!({ "machine": machine(&host) });
        let (status, _) = service.ask(&token, "POST", "/api/v1/terminals", Some(body)).await;
        assert_eq!(status, 403, "{role}");
        let (status, _) = service.ask(&token, "GET", "/api/v1/terminals", None).await;
        assert_eq!(status, 403, "{role}");
    }
    assert_eq!(service.socket(&id, None, &[]).await.err(), Some(401));

    let password = || SecretString::from("correct horse battery");
    for name in ["ada", "bob"] {
        let checked = NewPassword::checked(password()).unwrap();
        service.fleet.access().add_user(name, checked, Role::Admin, service.fleet.now()).await.unwrap();
    }
    let log_in = json!({ "username": "ada", "password": "correct horse battery" }).to_string();
    let (head, _) = service.exchange("POST", "/api/v1/login", "", &log_in).await;
    let line = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap_or_else(|| panic!("{head}"));
    let cookie = line.split(';').next().unwrap().to_owned();
    let origin = |origin: &'static str| [("cookie", cookie.as_str()), ("origin", origin)];
    for foreign in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(service.socket(&id, None, &origin(foreign)).await.err(), Some(403), "{foreign}");
    }
    let own = format!("http://{}", service.address);
    let headers = [("cookie", cookie.as_str()), ("origin", own.as_str())];
    let socket = service.socket(&id, None, &headers).await.unwrap();
    let mut screen = super::Screen { socket, at: 0, taken: 0, typed: 0, shown: Vec::new() };
    screen.plain_shell().await;
    // No admin any more: let go within seconds, with its word.
    let change = UserChange { role: Some(Role::Operator), ..UserChange::default() };
    service.fleet.access().change_user("ada", change).await.unwrap();
    loop {
        match screen.next().await {
            Came::Closed(code) => {
                assert_eq!(code, 1008);
                break;
            }
            Came::Bytes(_) | Came::News(_) => {}
        }
    }
    let (status, _) = service.ask(&service.admin, "DELETE", &format!("/api/v1/terminals/{id}"), None).await;
    assert_eq!(status, 204);
    let what: Vec<String> = service.trail().await.into_iter().map(|[who, what, ..]| format!("{who}: {what}")).collect();
    assert_eq!(what, ["token:admin: terminal open", "ada: terminal attach", "token:admin: terminal close"]);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_terminal_is_noted_recorded_where_wished_and_hung_up_with_the_service() {
    let (service, sshd) = (Service::start().await, Sshd::start());
    let host = service.add(ssh_host("web1", &sshd)).await;
    let body = json!({ "machine": machine(&host), "cols": 100, "rows": 30, "record": true });
    let (status, terminal) = service.ask(&service.admin, "POST", "/api/v1/terminals", Some(body)).await;
    assert_eq!((status, &terminal["recorded"], &terminal["way"]), (201, &json!(true), &json!("ssh")), "{terminal}");
    let id = terminal["id"].as_str().unwrap();
    let mut screen = service.look(id, None).await;
    screen.plain_shell().await;
    let pid = sshd.file("pid");
    screen.type_in(format!("echo shown; echo $$ > '{}'; read -r line; sleep 1000\n", pid.display())).await;
    screen.until("shown\r\n").await;
    screen.type_in("secret-word\n").await;
    let list = service.ask(&service.admin, "GET", "/api/v1/terminals", None).await.1;
    assert_eq!((&list["items"][0]["viewers"], &list["items"][0]["size"]["cols"]), (&json!(1), &json!(100)), "{list}");

    // What cannot be reached is refused with its name, and noted.
    let (status, problem) = service.try_open(&"host:nobody".parse().unwrap()).await;
    assert_eq!(status, 404, "{problem}");

    let (fleet, address) = (service.fleet.clone(), service.address);
    let shell: u32 = std::fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
    let _kept = service.end().await;
    loop {
        if let Came::Closed(code) = screen.next().await {
            assert!(code == 1001 || code == 1000, "{code}");
            break;
        }
    }
    let gone = async {
        while std::path::Path::new(&format!("/proc/{shell}")).exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon(gone).await;
    assert!(std::net::TcpStream::connect(address).is_err());
    let words = reanimator_core::fleet::AuditWords { what: Some("terminal*".into()), ..Default::default() };
    let mut lines = fleet.audit(&words, None, 50).await.unwrap();
    lines.reverse();
    let what: Vec<String> = lines.iter().map(|row| format!("{} {}", row.entry.what, row.entry.outcome)).collect();
    let noted = ["terminal open started", "terminal attach ok", "terminal open not-found", "terminal close ok"];
    assert_eq!(what, noted);
    let (open, close) = (&lines[0].entry, &lines[3].entry);
    assert_eq!((open.who.as_str(), open.from.as_str()), ("token:admin", "127.0.0.1"));
    assert!(open.on.starts_with("web1 (host:") && open.on.ends_with("recorded"), "{}", open.on);
    assert!(close.on.contains("the service stopped after") && close.on.contains("bytes typed"), "{}", close.on);

    let [recording] = fleet.recordings().await.unwrap().try_into().unwrap();
    let text = std::fs::read_to_string(fleet.recording_file(&recording.id).await.unwrap()).unwrap();
    assert!(text.lines().next().unwrap().contains("\"width\":100") && text.contains("shown"), "{text}");
}
