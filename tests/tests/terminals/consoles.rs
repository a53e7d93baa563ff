//! Consoles of the look-alike's guests and nodes: over pinned TLS, by ticket, as Proxmox lets people in.

use pve_sim::{Options, Sim};
use reanimator_core::{
    fleet::ProxmoxSecret,
    model::{Guest, GuestKind, GuestStatus, Machine},
};
use serde_json::json;

use super::{Came, Service};

/// A cluster in a fleet, by password or by token; its guests.
async fn connected(service: &Service, sim: &Sim, by_password: bool) -> Vec<Guest> {
    let mut new = reanimator_tests::cluster::connection(sim, 0);
    if by_password {
        let (user, password) = (sim.info().user.clone(), sim.info().password.clone().into());
        new.auth = ProxmoxSecret::Password { user, password };
    }
    service.fleet.connect_proxmox(new).await.unwrap();
    service.fleet.guests().await.unwrap()
}

fn guest(guests: &[Guest], wanted: impl Fn(&&Guest) -> bool) -> Machine {
    Machine::Guest(guests.iter().find(wanted).expect("the look-alike has such a guest").id.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_is_typed_in_resized_and_comes_back() {
    let sim = Sim::start(Options::default()).await.unwrap();
    let service = Service::start().await;
    let guests = connected(&service, &sim, true).await;
    let running = |kind| move |guest: &&Guest| guest.kind == kind && guest.status == GuestStatus::Running;
    let id = service.open(&guest(&guests, running(GuestKind::Lxc))).await;
    let mut screen = service.look(&id, None).await;
    screen.plain_shell().await;
    screen.type_in("echo grün-$((40+2)); stty size\n").await;
    screen.until("grün-42").await;
    screen.until("24 80").await;
    screen.order(json!({ "type": "resize", "cols": 111, "rows": 37 })).await;
    screen.type_in("stty size\n").await;
    screen.until("37 111").await;
    // Longer than one message of the far side, in lines as long as a terminal takes.
    let lines = format!("{}\n", "x".repeat(999)).repeat(12);
    screen.type_in(format!("cat > long\n{lines}\x04wc -c < long\n")).await;
    screen.until("12000").await;
    let at = screen.at;
    drop(screen);
    let mut again = service.look(&id, Some(at)).await;
    again.type_in("echo ba''ck; exit\n").await;
    again.until("back").await;
    let end = again.ended().await;
    assert_eq!((&end["status"], &end["failed"]), (&json!(null), &json!(false)), "{end}");
    assert!(matches!(again.next().await, Came::Closed(1000)));
    let trail = service.trail().await;
    assert!(trail[0][2].contains("(guest:") && trail[0][2].contains("console"), "{trail:?}");

    // A node that has no SSH of its own: its console.
    let hosts = service.fleet.status().await.unwrap().hosts;
    let mut node = service.look(&service.open(&super::machine(&hosts[0])).await, None).await;
    node.plain_shell().await;
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_console_is_refused_with_what_to_do() {
    let sim = Sim::start(Options::default()).await.unwrap();
    let service = Service::start().await;
    let guests = connected(&service, &sim, true).await;
    let stopped = guest(&guests, |guest| guest.status == GuestStatus::Stopped && !guest.template);
    let (status, problem) = service.try_open(&stopped).await;
    assert_eq!(status, 409, "{problem}");
    assert!(problem.to_string().contains("it is stopped"), "{problem}");
    let mut refused = 0;
    let running = |guest: &&Guest| guest.kind == GuestKind::Qemu && guest.status == GuestStatus::Running;
    for vm in guests.iter().filter(running) {
        let (status, problem) = service.try_open(&Machine::Guest(vm.id.clone())).await;
        if status == 201 {
            continue;
        }
        refused += 1;
        assert_eq!(status, 409, "{problem}");
        assert!(problem.to_string().contains("serial port"), "{problem}");
    }
    assert!(refused > 0, "every VM of the look-alike has a serial port");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_told_that_consoles_take_none() {
    let sim = Sim::start(Options::default()).await.unwrap();
    let service = Service::start().await;
    let guests = connected(&service, &sim, false).await;
    let container = guest(&guests, |guest| guest.kind == GuestKind::Lxc && guest.status == GuestStatus::Running);
    let (status, problem) = service.try_open(&container).await;
    assert_eq!(status, 403, "{problem}");
    assert!(problem.to_string().contains("API token"), "{problem}");
    service.end().await;
}
