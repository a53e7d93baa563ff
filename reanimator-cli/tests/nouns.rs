//! Every noun once through its verbs, on a data directory of its own.

#![allow(clippy::unwrap_used)]

mod common;

use common::Home;

#[test]
fn a_new_fleet_has_this_machine() {
    let home = Home::new();
    let list = home.json(&["host", "list"]);
    assert_eq!(list["total"], 1);
    assert_eq!(list["items"][0]["via"][0], "local");
}

#[test]
fn hosts_are_added_changed_shown_and_removed() {
    let home = Home::new();
    let added = home.json(&["host", "add", "root@192.0.2.1:2222", "--name", "web1", "--group", "web", "--unchecked"]);
    assert_eq!(added["name"], "web1");
    assert_eq!(added["groups"][0], "web");
    assert_eq!(added["state"], "unknown");

    home.run(&["host", "set", "web1", "--add-group", "prod", "--remove-group", "web", "--add-tag", "blue"]);
    home.run(&["host", "set", "web1", "--name", "web2", "--maintenance", "on"]);
    let host = home.json(&["host", "show", "web2"])["host"].clone();
    assert_eq!(host["groups"], serde_json::json!(["prod"]));
    assert_eq!(host["tags"], serde_json::json!(["blue"]));
    assert_eq!(host["state"], "maintenance");
    assert!(home.run(&["host", "show", "web2"]).contains("192.0.2.1"));
    assert!(home.run(&["host", "list", "--on", "group:prod"]).contains("web2"));

    home.run(&["host", "remove", "web2"]);
    let stderr = home.refused(&["host", "show", "web2"], 1);
    assert!(stderr.starts_with("error: "), "{stderr}");
}

#[test]
fn setting_nothing_is_a_wrong_use() {
    let home = Home::new();
    let name = home.this_machine();
    home.refused(&["host", "set", &name], 2);
}

#[test]
fn this_machine_can_be_tested_and_observed() {
    let home = Home::new();
    let name = home.this_machine();
    assert_eq!(home.json(&["host", "test", &name])["ok"], true);
    let detail = home.json(&["host", "show", &name, "--observe"]);
    assert!(detail["telemetry"]["file_systems"].as_array().is_some_and(|systems| !systems.is_empty()));
    assert!(detail["identity"]["kernel"].is_string());
    let shown = home.run(&["host", "show", &name]);
    assert!(shown.contains("memory") && shown.contains("(by MemAvailable)"), "{shown}");
}

#[test]
fn a_test_that_fails_says_at_which_step() {
    let home = Home::new();
    home.add_silent_host("silent");
    let output = home.reanimator(["host", "test", "silent", "--json"]).assert().code(1);
    let report: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert_eq!(report["ok"], false);
    assert!(report["steps"].as_array().unwrap().iter().any(|step| step["ok"] == false), "{report}");
}

#[test]
fn groups_are_counted() {
    let home = Home::new();
    assert!(home.run(&["group", "list"]).contains("host set"));
    home.run(&["host", "add", "192.0.2.1", "--group", "web", "--unchecked"]);
    home.run(&["host", "add", "192.0.2.2", "--group", "web", "--unchecked"]);
    let group = home.json(&["group", "list"])["items"][0].clone();
    assert_eq!(group, serde_json::json!({ "name": "web", "hosts": ["192.0.2.1", "192.0.2.2"], "online": 0 }));
}

#[test]
fn an_inventory_is_imported() {
    let home = Home::new();
    let inventory = "[web]\nweb1 ansible_host=192.0.2.10 ansible_port=2222\nweb2 ansible_host=192.0.2.11\n";
    let import = |extra: &[&str]| {
        let words = ["host", "import", "-", "--format", "ansible-ini", "--json"].iter().chain(extra);
        let output = home.reanimator(words).write_stdin(inventory).assert().success();
        serde_json::from_slice::<serde_json::Value>(&output.get_output().stdout).unwrap()
    };
    assert_eq!(import(&["--dry-run"])["found"].as_array().unwrap().len(), 2);
    assert_eq!(home.json(&["host", "list"])["total"], 1);
    assert_eq!(import(&[])["added"], 2);
    assert_eq!(import(&[])["added"], 0);
    assert_eq!(home.json(&["host", "list", "--on", "group:web"])["total"], 2);
}

#[test]
fn an_ssh_configuration_is_imported() {
    let home = Home::new();
    let file = home.path().join("config");
    std::fs::write(&file, "Host pi\n  HostName 192.0.2.20\n  User pi\n  Port 2200\nHost *\n  User nobody\n").unwrap();
    let shown = home.run(&["host", "import", file.to_str().unwrap(), "--format", "ssh-config"]);
    assert!(shown.contains("pi@192.0.2.20:2200"), "{shown}");
    assert!(shown.contains("Added 1 host."), "{shown}");
}

#[test]
fn a_name_of_the_ssh_configuration_is_enough() {
    let home = Home::new();
    std::fs::create_dir(home.path().join(".ssh")).unwrap();
    let config = "Host pi\n  HostName 192.0.2.20\n  User pi\n  Port 2200\n";
    std::fs::write(home.path().join(".ssh/config"), config).unwrap();
    let host = home.json(&["host", "add", "pi", "--unchecked"]);
    assert_eq!(host["name"], "pi");
    let detail = home.json(&["host", "show", "pi"]);
    let link = detail["links"][0]["text"].as_str().unwrap();
    assert!(link.contains("pi@192.0.2.20:2200"), "{link}");
}

#[test]
fn people_come_change_and_go() {
    let home = Home::new();
    let add = |name: &str, role: &str, password: &str| {
        home.reanimator(["user", "add", name, "--role", role, "--password-stdin"])
            .write_stdin(format!("{password}\n"))
            .assert()
    };
    add("ann", "admin", "correct horse battery").success();
    add("bob", "viewer", "short").code(2);
    add("bob", "viewer", "staple correct horse").success();
    add("bob", "viewer", "staple correct horse").code(1);
    home.run(&["user", "set", "bob", "--role", "operator"]);
    let users = home.json(&["user", "list"])["items"].clone();
    assert_eq!(users[1]["name"], "bob");
    assert_eq!(users[1]["role"], "operator");
    assert!(!users.to_string().contains("argon2"), "no hash in a list: {users}");
    home.run(&["user", "remove", "bob"]);
    assert_eq!(home.json(&["user", "list"])["items"].as_array().unwrap().len(), 1);
    assert!(home.refused(&["user", "remove", "ann"], 1).contains("admin"));
}

#[test]
fn a_token_is_shown_once() {
    let home = Home::new();
    let token = home.json(&["token", "create", "probe", "--role", "viewer"])["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("rnm_"), "{token}");
    let list = home.json(&["token", "list"]);
    assert_eq!(list["items"][0]["role"], "viewer");
    assert!(!list.to_string().contains(&token));
    home.refused(&["token", "create", "probe"], 1);
    home.run(&["token", "revoke", "probe"]);
    assert_eq!(home.json(&["token", "list"])["items"].as_array().unwrap().len(), 0);
}

#[test]
fn changes_are_in_the_audit_trail_and_secrets_are_not() {
    let home = Home::new();
    home.reanimator(["user", "add", "ann", "--role", "admin", "--password-stdin"])
        .write_stdin("correct horse battery\n")
        .assert()
        .success();
    home.refused(&["host", "remove", "nobody"], 1);
    let entries = home.json(&["audit", "list"]);
    assert_eq!(entries["items"][0]["what"], "host remove");
    assert_eq!(entries["items"][0]["outcome"], "not-found");
    assert_eq!(entries["items"][1]["what"], "user add");
    assert_eq!(entries["items"][1]["on"], "ann");
    assert!(!entries.to_string().contains("correct horse"));
}

#[test]
fn lists_without_clusters_say_how_to_get_one() {
    let home = Home::new();
    for noun in ["guest", "proxmox"] {
        assert!(home.run(&[noun, "list"]).contains("proxmox connect"), "{noun}");
        assert_eq!(home.json(&[noun, "list"])["items"], serde_json::json!([]));
    }
    // This machine has file systems, once it was looked at.
    assert!(home.run(&["storage", "list"]).contains("status --observe"));
    assert_eq!(home.json(&["match", "list"])["items"], serde_json::json!([]));
    assert!(home.refused(&["match", "same", "nothing"], 1).contains("nothing"));
}

#[test]
fn shells_get_their_completions() {
    let home = Home::new();
    for (shell, sign) in [("bash", "complete -F"), ("zsh", "#compdef reanimator"), ("fish", "complete -c reanimator")] {
        let script = home.run(&["completions", shell]);
        assert!(script.contains(sign) && script.contains("proxmox"), "{shell}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let home = Home::new();
    let pages = home.path().join("man");
    home.run(&["man", pages.to_str().unwrap()]);
    let page = std::fs::read_to_string(pages.join("reanimator-host-add.1")).unwrap();
    assert!(page.contains("accept"), "{page}");
}

#[test]
fn the_http_interface_is_described() {
    let home = Home::new();
    let document = home.json(&["openapi"]);
    assert!(document["paths"]["/api/v1/status"].is_object());
}

#[test]
fn credentials_are_replaced_and_removed_and_never_shown() {
    let home = Home::new();
    home.add_silent_host("web1");
    let set = home.reanimator(["host", "credentials", "web1", "--user", "admin", "--sudo-password=stdin"]);
    { set }.write_stdin("s3cret\n").assert().success();
    let listed = home.json(&["host", "credentials"])["items"][0].clone();
    assert_eq!(listed["names"], serde_json::json!(["password", "sudo"]));
    assert_eq!((&listed["user"], &listed["subject"]["name"]), (&"admin".into(), &"web1".into()));
    let shown = home.run(&["host", "credentials", "web1", "--remove", "sudo"]);
    assert!(shown.contains("password") && !shown.contains("sudo"), "{shown}");
    home.refused(&["host", "credentials", "web1", "--remove", "sudo"], 1);
    home.refused(&["host", "credentials", "web1"], 2);
    home.refused(&["host", "credentials", "--user", "root"], 2);
    home.refused(&["proxmox", "credentials", "lab", "--token=abc"], 2);
    assert_eq!(home.json(&["proxmox", "credentials"])["items"], serde_json::json!([]));
    assert!(!home.run(&["audit", "list"]).contains("s3cret"));
}

#[test]
fn groups_are_set_on_many_hosts_renamed_and_removed() {
    let home = Home::new();
    for address in ["192.0.2.1", "192.0.2.2"] {
        home.run(&["host", "add", address, "--group", "old", "--unchecked"]);
    }
    let set = ["group", "set", "group:old", "--add-group", "web", "--remove-group", "old", "--add-tag", "blue"];
    assert!(home.run(&set).contains("2 hosts"));
    assert_eq!(home.json(&["host", "list", "--on", "group:web&tag:blue"])["total"], 2);
    assert!(home.run(&["group", "rename", "web", "front"]).contains("front"));
    home.refused(&["group", "remove", "web"], 1);
    assert_eq!(home.json(&["group", "remove", "front"])["hosts"], 2);
    assert_eq!(home.json(&["group", "list"])["items"], serde_json::json!([]));
    home.refused(&["group", "set", "all"], 2);
}
