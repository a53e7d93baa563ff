//! The look-alike against what the genuine API answered: the same field names
//! and JSON types, and the same refusals word for word.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Answer, Api, start};
use serde_json::Value;

fn recording(name: &str) -> Value {
    let path = format!("{}/recordings/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The recorded guests' counterparts here.
const GUESTS: [(&str, &str); 2] = [("/110", "/103"), ("/9000", "/104")];

/// Where the recorded machine had nothing to show, or its kernel no pressure,
/// the look-alike shows more.
const MAY_BE_MORE: [&str; 12] = [
    "diskread",
    "diskwrite",
    "pressurecpusome",
    "pressurecpufull",
    "pressureiosome",
    "pressureiofull",
    "pressurememorysome",
    "pressurememoryfull",
    "secureboot",
    "tokenid",
    "tags",
    "pool",
];

type Shape = BTreeMap<String, BTreeSet<&'static str>>;

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// Every path below a value with the types seen there. List elements are one
/// path each per kind of resource, so a node is not compared with a guest.
fn shape(value: &Value, at: &str, found: &mut Shape) {
    found.entry(at.to_owned()).or_default().insert(kind(value));
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                // A name with a number in it is a key, not a field.
                let name = match name.as_str() {
                    name if name.starts_with("tap") => "tap",
                    name if name.starts_with("/vms/") => "/vms/N",
                    name => name,
                };
                shape(inner, &format!("{at}.{name}"), found);
            }
        }
        Value::Array(list) => {
            for inner in list {
                let text = |name: &str| inner[name].as_str().unwrap_or_default().to_owned();
                let resource = matches!(
                    text("type").as_str(),
                    "node" | "qemu" | "lxc" | "storage" | "pool" | "network" | "cluster"
                );
                let label = if resource {
                    let status = match text("status").as_str() {
                        word @ ("running" | "stopped" | "online" | "offline") => word.to_owned(),
                        _ => String::new(),
                    };
                    format!("[{} {status}]", text("type"))
                } else {
                    "[]".to_owned()
                };
                shape(inner, &format!("{at}{label}"), found);
            }
        }
        _ => {}
    }
}

fn differences(name: &str, recorded: &Value, ours: &Value) -> Vec<String> {
    let (mut theirs, mut mine) = (Shape::new(), Shape::new());
    shape(recorded, "", &mut theirs);
    shape(ours, "", &mut mine);
    let mut found = Vec::new();
    for (path, types) in &theirs {
        match mine.get(path) {
            None => found.push(format!("{name}: {path} is missing")),
            Some(here) => {
                let pressure = path.contains("pressure");
                let same = here.is_subset(types) || (pressure && here.contains("number"));
                if !same {
                    found.push(format!("{name}: {path} is {here:?}, recorded {types:?}"));
                }
            }
        }
    }
    for path in mine.keys().filter(|path| !theirs.contains_key(*path)) {
        let parent = path.rsplit_once(['.', '[']).map_or("", |(parent, _)| parent);
        let field = path.rsplit('.').next().unwrap_or_default();
        // A kind of entry that was not there when recorded cannot be compared.
        let known = theirs.contains_key(parent) && !path.ends_with(']');
        if known && !MAY_BE_MORE.contains(&field) {
            found.push(format!("{name}: {path} is more than recorded"));
        }
    }
    found
}

fn request_of(recorded: &Value) -> (String, String, Vec<(String, String)>) {
    let (method, path) = recorded["request"].as_str().unwrap().split_once(' ').unwrap();
    let mut path = path.strip_prefix("/api2/json").unwrap().to_owned();
    // The VM with a disk that is not shared.
    path = path.replace("/100/migrate", "/104/migrate");
    for (theirs, ours) in GUESTS {
        path = path.replace(theirs, ours);
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let params = recorded["params"].as_object().into_iter().flatten();
    let params = params.map(|(name, value)| (name.clone(), text(value))).collect();
    (method.to_owned(), path, params)
}

async fn replay(api: &Api, name: &str, recorded: &Value) -> Answer {
    let (method, path, params) = request_of(recorded);
    let params: Vec<(&str, &str)> = params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = api.send(&method, &path, &params).await;
    answer.unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[tokio::test]
async fn answers_of_one_node_have_the_recorded_shapes() {
    let sim = start(1).await;
    let api = Api::of(&sim);
    // Something must have been done for the lists of tasks to show.
    let upid = api.post("/nodes/pve1/qemu/100/status/start", &[]).await.data();
    api.wait(&upid).await;
    let upid = api.post("/nodes/pve1/lxc/102/status/start", &[]).await.data();
    api.wait(&upid).await;
    let fleet = [("privsep", "1"), ("comment", "fleet manager")];
    api.post("/access/users/alice@pve/token/fleet", &fleet).await.data();
    let memory = [("memory", "768")];
    api.send("PUT", "/nodes/pve1/qemu/100/config", &memory).await.unwrap().data();
    let vzdump = [("vmid", "102"), ("storage", "local"), ("mode", "stop"), ("notes-template", "{{guestname}}")];
    let upid = api.post("/nodes/pve1/vzdump", &vzdump).await.data();
    assert_eq!(api.wait(&upid).await, "WARNINGS: 1");
    let names = [
        "access_acl",
        "access_domains",
        "access_groups",
        "access_permissions",
        "access_roles",
        "access_tfa",
        "access_users",
        "access_users_alice",
        "access_user_tokens",
        "cluster_backup",
        "cluster_backup_nightly",
        "cluster_backup_notbacked",
        "cluster_config_nodes",
        "cluster_firewall_options",
        "cluster_firewall_rules",
        "cluster_ha_resources",
        "cluster_ha_rules",
        "cluster_ha_status",
        "cluster_index",
        "cluster_log",
        "cluster_mapping_pci",
        "cluster_metrics_export",
        "cluster_nextid",
        "cluster_options",
        "cluster_replication",
        "cluster_resources",
        "cluster_resources_node",
        "cluster_resources_storage",
        "cluster_resources_vm",
        "cluster_sdn_vnets",
        "cluster_sdn_zones",
        "cluster_status",
        "cluster_tasks",
        "lxc_config",
        "lxc_config_102",
        "lxc_feature",
        "lxc_index",
        "lxc_interfaces",
        "lxc_list",
        "lxc_pending",
        "lxc_rrddata",
        "lxc_snapshots",
        "lxc_status",
        "node_apt_repositories",
        "node_apt_versions",
        "node_certs",
        "node_config",
        "node_dns",
        "node_hardware_pci",
        "node_hosts",
        "node_index",
        "node_netstat",
        "node_network",
        "node_rrddata",
        "node_services",
        "node_status",
        "node_storage",
        "node_storage_content_backup",
        "node_storage_content_filter",
        "node_storage_rrd",
        "node_storage_status",
        "node_subscription",
        "node_syslog",
        "node_tasks",
        "node_tasks_active",
        "node_tasks_errors",
        "node_tasks_vmid",
        "node_time",
        "node_version",
        "nodes",
        "pools",
        "pools_prod",
        "pools_query",
        "qemu_config",
        "qemu_config_current",
        "qemu_feature",
        "qemu_index",
        "qemu_list",
        "qemu_list_full",
        "qemu_migrate_pre",
        "qemu_pending",
        "qemu_rrddata",
        "qemu_snapshot_config",
        "qemu_snapshots",
        "qemu_status_running",
        "qemu_status_stopped",
        "qemu_template_config",
        "storage_local",
        "version",
    ];
    let mut wrong = Vec::new();
    for name in names {
        let recorded = recording(name);
        let answer = replay(&api, name, &recorded).await;
        if answer.status != 200 {
            wrong.push(format!("{name}: {} {}", answer.status, answer.reason));
            continue;
        }
        wrong.extend(differences(name, &recorded["body"], &answer.json()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn answers_of_a_cluster_have_the_recorded_shapes() {
    let sim = start(2).await;
    let api = Api::of(&sim);
    let names = [
        "cluster_ok_cluster_resources",
        "cluster_ok_cluster_status",
        "cluster_ok_config_join",
        "cluster_ok_config_nodes",
        "cluster_ok_ha_status",
        "cluster_ok_nextid",
        "cluster_ok_nodes",
    ];
    let mut wrong = Vec::new();
    for name in names {
        let recorded = recording(name);
        let answer = replay(&api, name, &recorded).await;
        wrong.extend(differences(name, &recorded["body"], &answer.json()));
    }
    sim.control().node_down("pve2").await.unwrap();
    for name in [
        "cluster_pve3down_cluster_resources",
        "cluster_pve3down_cluster_status",
        "cluster_pve3down_config_nodes",
        "cluster_pve3down_ha_status",
        "cluster_pve3down_nodes",
    ] {
        let recorded = recording(name);
        let answer = replay(&api, name, &recorded).await;
        wrong.extend(differences(name, &recorded["body"], &answer.json()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Compares a refusal in everything but the server's own headers.
fn same_refusal(name: &str, recorded: &Value, answer: &Answer, wrong: &mut Vec<String>) {
    if answer.status != recorded["status"] || answer.reason != recorded["reason"] {
        wrong.push(format!(
            "{name}: {} {:?}, recorded {} {}",
            answer.status, answer.reason, recorded["status"], recorded["reason"]
        ));
    }
    let same_body = match recorded["body"].get("_raw") {
        Some(raw) => answer.text == raw.as_str().unwrap(),
        None => answer.json() == recorded["body"],
    };
    if !same_body {
        wrong.push(format!("{name}: {}, recorded {}", answer.text, recorded["body"]));
    }
}

#[tokio::test]
async fn refusals_are_the_recorded_ones() {
    let sim = start(1).await;
    let api = Api::of(&sim);
    let mut wrong = Vec::new();
    for name in [
        "err_404_path",
        "err_501_method",
        "err_delete_running",
        "err_digest_mismatch",
        "err_lxc_start_running",
        "err_no_such_node",
        "err_no_such_vm",
        "err_param_verify",
        "err_vmid_exists",
        "err_ticket_badpw",
        "cluster_config_join",
        "write_lxc_stop_err",
    ] {
        let recorded = recording(name);
        let answer = replay(&api, name, &recorded).await;
        same_refusal(name, &recorded, &answer, &mut wrong);
    }
    let stranger = Api::new(&sim.info().url, Some(&sim.info().token_without_acl));
    let nobody = Api::new(&sim.info().url, None);
    let wrong_token = Api::new(&sim.info().url, Some("root@pam!sim=no"));
    for (api, name) in
        [(&stranger, "err_permission_token_no_acl"), (&nobody, "err_noauth"), (&wrong_token, "err_badtoken")]
    {
        let recorded = recording(name);
        let answer = replay(api, name, &recorded).await;
        same_refusal(name, &recorded, &answer, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_token_without_grants_sees_stubs() {
    let sim = start(1).await;
    let stranger = Api::new(&sim.info().url, Some(&sim.info().token_without_acl));
    let recorded = recording("cluster_resources_token_no_acl");
    let answer = replay(&stranger, "stranger", &recorded).await;
    let wrong = differences("stranger", &recorded["body"], &answer.json());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(answer.data().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn without_quorum_reads_go_on_and_writes_are_refused() {
    let sim = start(2).await;
    let api = Api::of(&sim);
    sim.control().node_down("pve2").await.unwrap();
    let mut wrong = Vec::new();
    let recorded = recording("cluster_pve3down_write_group");
    let answer = replay(&api, "write_group", &recorded).await;
    same_refusal("write_group", &recorded, &answer, &mut wrong);
    let answer = api.get("/nodes/pve2/status").await;
    let recorded = recording("cluster_pve3down_nodes_pve3_status");
    same_refusal("node status", &recorded, &answer, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(api.get("/cluster/resources").await.status, 200);
    let start = api.post("/nodes/pve1/lxc/102/status/start", &[]).await;
    assert_eq!((start.status, start.reason.as_str()), (500, "cluster not ready - no quorum?"));
}
