//! What each fault becomes: an error or a note that names the thing, and harm to nothing else.

use std::time::Duration;

use pve_sim::Order;
use reanimator_core::{
    ErrorKind,
    host::pve::{Credentials, PveApi, PveHttps, connect},
    model::ProxmoxAuth,
    report,
    transport::http::Request,
};

use super::{api, endpoint, observe, reach, start, token};

#[tokio::test]
async fn a_dead_node_is_dead_and_keeps_its_guests() {
    let sim = start(3).await;
    let api = api(&sim, &[0]);
    let before = observe(&api).await.unwrap();
    let dead = sim.info().nodes[1].name.clone();
    sim.control().node_down(&dead).await.unwrap();
    let seen = observe(&api).await.unwrap();
    for node in &seen.nodes {
        assert_eq!(node.online, node.name != dead);
        assert_eq!(node.problem.is_some(), node.name == dead, "{node:?}");
    }
    let on_dead = |seen: &reanimator_core::model::ClusterSnapshot| {
        seen.guests.iter().filter(|guest| guest.node == dead).map(|guest| guest.vmid.clone()).collect::<Vec<_>>()
    };
    assert!(!on_dead(&before).is_empty());
    assert_eq!(on_dead(&seen), on_dead(&before));
    assert!(seen.unseen.iter().any(|unseen| unseen.what == format!("guests on {dead}")), "{:?}", seen.unseen);
    sim.control().node_up(&dead).await.unwrap();
    assert!(observe(&api).await.unwrap().nodes.iter().all(|node| node.online && node.problem.is_none()));
}

#[tokio::test]
async fn what_one_node_answers_is_that_nodes_trouble() {
    let sim = start(3).await;
    let api = api(&sim, &[0]);
    let node = sim.info().nodes[2].name.clone();
    for (fault, kind) in [
        ("595", ErrorKind::Unreachable),
        ("596", ErrorKind::Unreachable),
        ("403", ErrorKind::Denied),
        ("half-json", ErrorKind::Protocol),
        ("html", ErrorKind::Protocol),
    ] {
        sim.control().apply(Order::new(fault).node(&node).path(&format!("/nodes/{node}"))).await.unwrap();
        let seen = observe(&api).await.unwrap();
        for seen in &seen.nodes {
            let told = seen.problem.as_ref().map(|problem| problem.kind);
            assert_eq!(told, (seen.name == node).then_some(kind), "{fault} at {}: {seen:?}", seen.name);
            // What the cluster knows of it is shown all the same.
            assert!(seen.online && seen.telemetry.memory.is_some(), "{fault}");
        }
        assert_eq!(seen.guests.len(), 8, "{fault}");
        sim.control().clear().await;
    }
    let error = {
        sim.control().apply(Order::new("595").node(&node)).await.unwrap();
        api.call(Request::get(["nodes", &node, "status"])).await.unwrap_err()
    };
    assert_eq!(error.subject(), Some(node.as_str()));
    assert!(report(&error).contains("Next: check that the node is up"), "{}", report(&error));
}

#[tokio::test]
async fn senseless_answers_of_the_cluster_are_told_with_their_beginning() {
    let sim = start(1).await;
    let api = api(&sim, &[0]);
    for (fault, sign) in [("half-json", "breaks off"), ("html", "<html")] {
        sim.control().apply(Order::new(fault).path("/cluster/resources")).await.unwrap();
        let error = observe(&api).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{fault}");
        assert!(error.to_string().contains(sign) && error.subject().is_some(), "{error}");
        sim.control().clear().await;
    }
    assert_eq!(observe(&api).await.unwrap().guests.len(), 8);
}

#[tokio::test]
async fn a_missing_privilege_is_named() {
    let sim = start(1).await;
    let (id, secret) = token(&sim.info().token_without_acl);
    let stranger = PveHttps::new(&[endpoint(&sim, 0)], Credentials::token(id, secret)).unwrap();
    let error = stranger.call(Request::get(["cluster", "status"])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().ends_with("the login lacks Sys.Audit on /"), "{error}");
}

#[tokio::test]
async fn a_wrong_token_is_refused_once_and_answered_at_once_after_that() {
    let sim = start(1).await;
    let (id, _) = token(&sim.info().token);
    let wrong = PveHttps::new(&[endpoint(&sim, 0)], Credentials::token(id, "wrong".to_owned().into())).unwrap();
    assert_eq!(wrong.call(Request::get(["version"])).await.unwrap_err().kind(), ErrorKind::AuthFailed);
    // Nobody is there any more to refuse it a second time.
    sim.control().node_down(&sim.info().nodes[0].name).await.unwrap();
    let again = wrong.call(Request::get(["version"])).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AuthFailed);
    assert!(report(&again).contains("not tried again by itself"), "{}", report(&again));
    wrong.allow_login_again().await;
    assert_eq!(wrong.call(Request::get(["version"])).await.unwrap_err().kind(), ErrorKind::Unreachable);
}

#[tokio::test]
async fn a_wrong_password_says_so() {
    let sim = start(1).await;
    let auth = ProxmoxAuth::Ticket { user: sim.info().user.clone() };
    let error = connect(&reach(&sim, auth), "wrong".to_owned().into(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthFailed);
    assert!(error.to_string().contains("log in as root@pam: authentication failure"), "{error}");
}

#[tokio::test]
async fn a_changed_certificate_is_refused_and_the_others_go_on() {
    let sim = start(2).await;
    let first = sim.info().nodes[0].name.clone();
    sim.control().apply(Order::new("new-certificate").node(&first)).await.unwrap();
    let alone = api(&sim, &[0]).call(Request::get(["version"])).await.unwrap_err();
    assert_eq!(alone.kind(), ErrorKind::CertificateChanged);
    assert_ne!(alone.fingerprint().unwrap().sha256, sim.info().fingerprint);
    let seen = observe(&api(&sim, &[0, 1])).await.unwrap();
    assert_eq!(seen.nodes.len(), 2);
    assert!(seen.unseen.iter().any(|unseen| unseen.why.contains("is pinned")), "{:?}", seen.unseen);
}

#[tokio::test]
async fn the_second_endpoint_answers_when_the_first_is_down_and_the_first_when_it_is_back() {
    let sim = start(3).await;
    let api = api(&sim, &[0, 1]);
    observe(&api).await.unwrap();
    let [first, second, _] = sim.info().nodes.as_slice() else { panic!("three nodes") };
    for (dead, back) in [(first, second), (second, first)] {
        sim.control().node_down(&dead.name).await.unwrap();
        let seen = observe(&api).await.unwrap();
        assert!(seen.nodes.iter().all(|node| node.online != (node.name == dead.name)));
        assert_eq!(api.label(), back.url);
        sim.control().node_up(&dead.name).await.unwrap();
    }
}

#[tokio::test]
async fn a_slow_node_holds_up_no_other() {
    let sim = start(3).await;
    let api = api(&sim, &[0]);
    let slow = sim.info().nodes[1].name.clone();
    let order = Order::new("slow").node(&slow).path(&format!("/nodes/{slow}")).milliseconds(60_000);
    sim.control().apply(order).await.unwrap();
    let asked = Request::get(["nodes", &slow, "status"]).time_limit(Duration::from_millis(300));
    let (late, other) =
        tokio::join!(api.call(asked), api.call(Request::get(["nodes", &sim.info().nodes[2].name, "status"])));
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Timeout);
    other.unwrap();
}

#[tokio::test]
async fn a_cluster_without_quorum_says_so_and_can_still_be_read() {
    let sim = start(3).await;
    let api = api(&sim, &[0]);
    sim.control().apply(Order::new("quorum-lost")).await.unwrap();
    let seen = observe(&api).await.unwrap();
    assert_eq!((seen.quorate, seen.guests.len()), (Some(false), 8));
    let error = api.call(Request::post(["access", "groups"]).param("groupid", "night-shift")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("no quorum"), "{error}");
}

#[tokio::test]
async fn wrong_parameters_and_unknown_things_are_named() {
    let sim = start(1).await;
    let api = api(&sim, &[0]);
    let node = sim.info().nodes[0].name.as_str();
    let wrong = Request::post(["nodes", node, "qemu"]).param("vmid", "abc").param("bogus", "1");
    let error = api.call(wrong).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("vmid: ") && error.to_string().contains("bogus: "), "{error}");
    for path in [vec!["nodes", node, "qemu", "55555", "config"], vec!["nodes", node, "nope"]] {
        assert_eq!(api.call(Request::get(path.clone())).await.unwrap_err().kind(), ErrorKind::NotFound, "{path:?}");
    }
}
