//! `/access`, reading: users, groups, roles, permissions.

use serde_json::{Map, Value, json};

use super::{Call, Handler};
use crate::access::{Caller, User};
use crate::refusal::{Answer, Refusal};

/// The handler for a GET below `/access`.
pub(super) fn find(rest: &str) -> Option<Handler> {
    Some(match rest {
        "ticket" => |_: &mut Call<'_>| Ok(Value::Null.into()),
        "domains" => domains,
        "users" => users,
        "users/{userid}" => user,
        "users/{userid}/token" => tokens,
        "users/{userid}/token/{tokenid}" => token,
        "groups" => groups,
        "groups/{groupid}" => group,
        "roles" => roles,
        "roles/{roleid}" => role,
        "acl" => acl,
        "permissions" => permissions,
        "tfa" => |_: &mut Call<'_>| Ok(json!([]).into()),
        _ => return None,
    })
}

fn domains(_: &mut Call<'_>) -> Answer {
    Ok(json!([
        {"realm": "pve", "type": "pve", "comment": "Proxmox VE authentication server"},
        {"realm": "pam", "type": "pam", "comment": "Linux PAM standard authentication"},
    ])
    .into())
}

fn profile(user: &User) -> Map<String, Value> {
    let mut entry = Map::new();
    entry.insert("enable".to_owned(), json!(u8::from(user.enable)));
    entry.insert("expire".to_owned(), json!(user.expire));
    let texts = [
        ("firstname", &user.first_name),
        ("lastname", &user.last_name),
        ("email", &user.email),
        ("comment", &user.comment),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            entry.insert(name.to_owned(), json!(value));
        }
    }
    entry
}

fn users(call: &mut Call<'_>) -> Answer {
    let all = call.may("/access/groups", &["User.Modify", "Sys.Audit"]);
    let list = call.cluster.access.users.iter();
    let list = list.filter(|(name, _)| all || **name == call.caller.user).map(|(name, user)| {
        let mut entry = profile(user);
        let realm = name.rsplit_once('@').map_or("pam", |(_, realm)| realm);
        entry.insert("userid".to_owned(), json!(name));
        entry.insert("realm-type".to_owned(), json!(realm));
        Value::Object(entry)
    });
    Ok(list.collect::<Value>().into())
}

/// The user in the path.
pub(super) fn find_user<'a>(call: &'a Call<'_>) -> Result<&'a User, Refusal> {
    let name = call.params.string("userid");
    let users = &call.cluster.access.users;
    users.get(&name).ok_or_else(|| Refusal::died(format!("no such user ('{name}')")))
}

fn token_entry(user: &User, name: &str) -> Option<Value> {
    let token = user.tokens.get(name)?;
    let mut entry = json!({"expire": token.expire, "privsep": u8::from(token.separated)});
    if let Some(comment) = &token.comment {
        entry["comment"] = json!(comment);
    }
    Some(entry)
}

fn user(call: &mut Call<'_>) -> Answer {
    let user = find_user(call)?;
    let mut entry = profile(user);
    entry.insert("groups".to_owned(), json!(user.groups));
    let tokens: Map<String, Value> =
        user.tokens.keys().filter_map(|name| Some((name.clone(), token_entry(user, name)?))).collect();
    entry.insert("tokens".to_owned(), Value::Object(tokens));
    Ok(Value::Object(entry).into())
}

fn tokens(call: &mut Call<'_>) -> Answer {
    let user = find_user(call)?;
    let list = user.tokens.keys().filter_map(|name| {
        let mut entry = token_entry(user, name)?;
        entry["tokenid"] = json!(name);
        Some(entry)
    });
    Ok(list.collect::<Value>().into())
}

fn token(call: &mut Call<'_>) -> Answer {
    let name = call.params.string("tokenid");
    let user = find_user(call)?;
    token_entry(user, &name)
        .map(Into::into)
        .ok_or_else(|| Refusal::parameter("tokenid", format!("no such token '{name}'")))
}

fn members(call: &Call<'_>, group: &str) -> Vec<String> {
    let users = call.cluster.access.users.iter();
    users.filter(|(_, user)| user.groups.contains(group)).map(|(name, _)| name.clone()).collect()
}

fn groups(call: &mut Call<'_>) -> Answer {
    let list = call.cluster.access.groups.iter().map(|(name, comment)| {
        let mut entry = json!({"groupid": name, "users": members(call, name).join(",")});
        if let Some(comment) = comment {
            entry["comment"] = json!(comment);
        }
        entry
    });
    Ok(list.collect::<Value>().into())
}

fn group(call: &mut Call<'_>) -> Answer {
    let name = call.params.string("groupid");
    let comment =
        call.cluster.access.groups.get(&name).ok_or_else(|| Refusal::died(format!("group '{name}' does not exist")))?;
    let mut entry = json!({"members": members(call, &name)});
    if let Some(comment) = comment {
        entry["comment"] = json!(comment);
    }
    Ok(entry.into())
}

fn roles(call: &mut Call<'_>) -> Answer {
    let list = call.cluster.access.roles().into_iter();
    let list = list.map(
        |(name, privileges, built_in)| json!({"roleid": name, "privs": privileges, "special": u8::from(built_in)}),
    );
    Ok(list.collect::<Value>().into())
}

fn role(call: &mut Call<'_>) -> Answer {
    let wanted = call.params.string("roleid");
    let mut roles = call.cluster.access.roles().into_iter();
    let (_, privileges, _) =
        roles.find(|role| role.0 == wanted).ok_or_else(|| Refusal::died(format!("role '{wanted}' does not exist")))?;
    let held: Map<String, Value> =
        privileges.split(',').filter(|name| !name.is_empty()).map(|name| (name.to_owned(), json!(1))).collect();
    Ok(Value::Object(held).into())
}

fn acl(call: &mut Call<'_>) -> Answer {
    let all = call.may("/access", &["Permissions.Modify", "Sys.Audit"]);
    let list = call.cluster.access.acl.iter();
    let list = list.filter(|entry| all || entry.who == call.caller.full_name()).map(|entry| {
        json!({
            "path": entry.path,
            "type": entry.kind,
            "ugid": entry.who,
            "roleid": entry.role,
            "propagate": u8::from(entry.propagate),
        })
    });
    Ok(list.collect::<Value>().into())
}

fn permissions(call: &mut Call<'_>) -> Answer {
    let caller = match call.params.text("userid") {
        None => call.caller.clone(),
        Some(name) => {
            let (user, token) = name.split_once('!').unwrap_or((name, ""));
            let caller = Caller { user: user.to_owned(), token: (!token.is_empty()).then(|| token.to_owned()) };
            if caller.user != call.caller.user && !call.may("/access", &["Sys.Audit"]) {
                return Err(Refusal::forbidden("/access, Sys.Audit"));
            }
            caller
        }
    };
    let access = &call.cluster.access;
    let paths: Vec<String> = match call.params.text("path") {
        Some(path) => vec![path.to_owned()],
        None => {
            let common = ["/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms"];
            let mut paths: Vec<String> = common.iter().map(|path| (*path).to_owned()).collect();
            paths.extend(access.acl.iter().map(|entry| entry.path.clone()));
            let pooled = call.cluster.guests.values();
            let pooled = pooled.filter(|guest| guest.pool.is_some());
            paths.extend(pooled.map(|guest| format!("/vms/{}", guest.vmid)));
            paths
        }
    };
    let mut answer = Map::new();
    for path in paths {
        let held: Map<String, Value> =
            access.privileges(&caller, &path).into_iter().map(|name| (name, json!(1))).collect();
        if !held.is_empty() || call.params.has("path") {
            answer.insert(path, Value::Object(held));
        }
    }
    Ok(Value::Object(answer).into())
}
