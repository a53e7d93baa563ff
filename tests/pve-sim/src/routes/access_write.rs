//! `/access`, writing: log-in tickets, users, groups, tokens, the list of
//! permissions. Deletions and changes of users are unrecorded.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Call, Handler, access::find_user};
use crate::access::{Caller, Entry, Token, User};
use crate::login::{csrf_token, ticket, verify_password};
use crate::params::split_list;
use crate::refusal::{Answer, Refusal};

/// The handler for a write below `/access`.
pub(super) fn find(method: &str, rest: &str) -> Option<Handler> {
    Some(match (method, rest) {
        ("POST", "ticket") => log_in,
        ("POST", "users") => create_user,
        ("PUT", "users/{userid}") => change_user,
        ("DELETE", "users/{userid}") => delete_user,
        ("POST", "users/{userid}/token/{tokenid}") => create_token,
        ("DELETE", "users/{userid}/token/{tokenid}") => delete_token,
        ("POST", "groups") => create_group,
        ("DELETE", "groups/{groupid}") => delete_group,
        ("PUT", "acl") => change_acl,
        ("PUT", "password") => change_password,
        _ => return None,
    })
}

/// Refuses to write the users' file without quorum, as the real one does.
pub(super) fn quorum(call: &Call<'_>, doing: &str) -> Result<(), Refusal> {
    if call.cluster.quorate() {
        return Ok(());
    }
    Err(Refusal::died(format!("{doing} failed: cfs-lock 'file-user_cfg' error: no quorum!")))
}

fn log_in(call: &mut Call<'_>) -> Answer {
    let mut user = call.params.string("username");
    if let Some(realm) = call.params.text("realm")
        && !user.contains('@')
    {
        user = format!("{user}@{realm}");
    }
    let password = call.params.string("password");
    let access = &call.cluster.access;
    if !verify_password(access, &user, &password, call.now) {
        return Err(Refusal { delayed: true, ..Refusal::with_message(401, "authentication failure") });
    }
    let mut answer = json!({
        "username": user,
        "ticket": ticket(access, &user, call.now),
        "CSRFPreventionToken": csrf_token(access, &user, call.now),
        "cap": capabilities(call, &Caller::user(&user)),
    });
    if call.cluster.clustered() {
        answer["clustername"] = json!(call.cluster.name);
    }
    Ok(answer.into())
}

/// The privileges by part of the page, as the ticket's answer gives them.
fn capabilities(call: &Call<'_>, caller: &Caller) -> Value {
    let parts: [(&str, &str, &[&str]); 7] = [
        ("access", "/access", &["User.", "Group.", "Permissions."]),
        ("dc", "/", &["Sys.Audit", "Sys.Modify", "SDN."]),
        ("mapping", "/mapping", &["Mapping.", "Permissions."]),
        ("nodes", "/nodes", &["Sys.", "Permissions."]),
        ("sdn", "/sdn", &["SDN.", "Permissions."]),
        ("storage", "/storage", &["Datastore.", "Permissions."]),
        ("vms", "/vms", &["VM.", "Permissions."]),
    ];
    let mut all = Map::new();
    for (name, path, starts) in parts {
        let held: Map<String, Value> = call
            .cluster
            .access
            .privileges(caller, path)
            .into_iter()
            .filter(|privilege| starts.iter().any(|start| privilege.starts_with(start)))
            .map(|privilege| (privilege, json!(1)))
            .collect();
        all.insert(name.to_owned(), Value::Object(held));
    }
    Value::Object(all)
}

fn optional(call: &Call<'_>, name: &str) -> Option<String> {
    call.params.text(name).map(str::to_owned)
}

fn create_user(call: &mut Call<'_>) -> Answer {
    let name = call.params.string("userid");
    if call.cluster.access.users.contains_key(&name) {
        return Err(Refusal::died(format!("create user failed: user '{name}' already exists")));
    }
    quorum(call, "create user")?;
    let user = User {
        password: optional(call, "password"),
        enable: !call.params.has("enable") || call.params.flag("enable"),
        expire: call.params.integer("expire").unwrap_or(0),
        first_name: optional(call, "firstname"),
        last_name: optional(call, "lastname"),
        email: optional(call, "email"),
        comment: optional(call, "comment"),
        groups: call.params.list("groups").into_iter().collect(),
        ..User::default()
    };
    call.cluster.access.users.insert(name, user);
    Ok(Value::Null.into())
}

fn change_user(call: &mut Call<'_>) -> Answer {
    let mut user = find_user(call)?.clone();
    quorum(call, "update user")?;
    if call.params.has("enable") {
        user.enable = call.params.flag("enable");
    }
    user.comment = optional(call, "comment").or(user.comment);
    user.email = optional(call, "email").or(user.email);
    if call.params.has("groups") {
        let wanted: BTreeSet<String> = call.params.list("groups").into_iter().collect();
        user.groups = if call.params.flag("append") { user.groups.union(&wanted).cloned().collect() } else { wanted };
    }
    let name = call.params.string("userid");
    call.cluster.access.users.insert(name, user);
    Ok(Value::Null.into())
}

fn delete_user(call: &mut Call<'_>) -> Answer {
    find_user(call)?;
    quorum(call, "delete user")?;
    let name = call.params.string("userid");
    call.cluster.access.users.remove(&name);
    call.cluster.access.acl.retain(|entry| entry.who != name);
    Ok(Value::Null.into())
}

fn create_token(call: &mut Call<'_>) -> Answer {
    let user = find_user(call)?;
    let name = call.params.string("tokenid");
    if user.tokens.contains_key(&name) {
        return Err(Refusal::parameter("tokenid", "Token already exists."));
    }
    quorum(call, "generating token")?;
    let separated = !call.params.has("privsep") || call.params.flag("privsep");
    let token = Token {
        secret: uuid::Uuid::new_v4().to_string(),
        expire: call.params.integer("expire").unwrap_or(0),
        separated,
        comment: optional(call, "comment"),
    };
    let owner = call.params.string("userid");
    let mut info = json!({"privsep": u8::from(separated).to_string()});
    if let Some(comment) = &token.comment {
        info["comment"] = json!(comment);
    }
    let answer = json!({
        "full-tokenid": format!("{owner}!{name}"),
        "info": info,
        "value": token.secret,
    });
    if let Some(user) = call.cluster.access.users.get_mut(&owner) {
        user.tokens.insert(name, token);
    }
    Ok(answer.into())
}

fn delete_token(call: &mut Call<'_>) -> Answer {
    let name = call.params.string("tokenid");
    if !find_user(call)?.tokens.contains_key(&name) {
        return Err(Refusal::parameter("tokenid", format!("no such token '{name}'")));
    }
    quorum(call, "deleting token")?;
    let owner = call.params.string("userid");
    if let Some(user) = call.cluster.access.users.get_mut(&owner) {
        user.tokens.remove(&name);
    }
    let full = format!("{owner}!{name}");
    call.cluster.access.acl.retain(|entry| entry.who != full);
    Ok(Value::Null.into())
}

fn create_group(call: &mut Call<'_>) -> Answer {
    let name = call.params.string("groupid");
    quorum(call, "create group")?;
    if call.cluster.access.groups.contains_key(&name) {
        return Err(Refusal::died(format!("create group failed: group '{name}' already exists")));
    }
    let comment = optional(call, "comment");
    call.cluster.access.groups.insert(name, comment);
    Ok(Value::Null.into())
}

fn delete_group(call: &mut Call<'_>) -> Answer {
    let name = call.params.string("groupid");
    quorum(call, "delete group")?;
    if call.cluster.access.groups.remove(&name).is_none() {
        return Err(Refusal::died(format!("delete group failed: group '{name}' does not exist")));
    }
    for user in call.cluster.access.users.values_mut() {
        user.groups.remove(&name);
    }
    Ok(Value::Null.into())
}

fn change_acl(call: &mut Call<'_>) -> Answer {
    quorum(call, "ACL update")?;
    let path = call.params.string("path");
    let propagate = !call.params.has("propagate") || call.params.flag("propagate");
    let delete = call.params.flag("delete");
    let known: Vec<String> = call.cluster.access.roles().into_iter().map(|role| role.0).collect();
    for role in call.params.list("roles") {
        if !known.contains(&role) {
            return Err(Refusal::died(format!("role '{role}' does not exist")));
        }
        for (kind, name) in [("user", "users"), ("group", "groups"), ("token", "tokens")] {
            for who in split_list(&call.params.string(name)) {
                let entry = Entry { path: path.clone(), kind, who, role: role.clone(), propagate };
                let acl = &mut call.cluster.access.acl;
                acl.retain(|old| {
                    (&old.path, old.kind, &old.who, &old.role) != (&entry.path, entry.kind, &entry.who, &entry.role)
                });
                if !delete {
                    acl.push(entry);
                }
            }
        }
    }
    Ok(Value::Null.into())
}

fn change_password(call: &mut Call<'_>) -> Answer {
    find_user(call)?;
    quorum(call, "change password")?;
    let name = call.params.string("userid");
    let password = call.params.string("password");
    if let Some(user) = call.cluster.access.users.get_mut(&name) {
        user.password = Some(password);
    }
    Ok(Value::Null.into())
}
