//! `/storage`, `/pools` and `/nodes/{node}/storage`.

use serde_json::{Value, json};

use super::{Call, Handler, cluster, metrics};
use crate::figures;
use crate::params::split_list;
use crate::refusal::{Answer, Refusal};
use crate::state::{Kind, Storage, config_digest};

/// The handler for `/storage` and `/pools` of the whole cluster.
pub(super) fn find_global(method: &str, template: &str) -> Option<Handler> {
    Some(match (method, template) {
        ("GET", "storage") => list_global,
        ("GET", "storage/{storage}") => one_global,
        ("PUT", "storage/{storage}") => change_global,
        ("GET", "pools") => pools,
        ("GET", "pools/{poolid}") => pool,
        ("POST", "pools") => create_pool,
        ("DELETE", "pools" | "pools/{poolid}") => delete_pool,
        ("PUT", "pools" | "pools/{poolid}") => change_pool,
        _ => return None,
    })
}

/// The handler for a path below `/nodes/{node}/storage`.
pub(super) fn find(method: &str, below: &str) -> Option<Handler> {
    Some(match (method, below) {
        ("GET", "") => list,
        ("GET", "{storage}/status") => status,
        ("GET", "{storage}/content") => content,
        ("GET", "{storage}/rrddata") => metrics::storage_rrddata,
        _ => return None,
    })
}

fn configuration(storage: &Storage) -> Value {
    let mut entry = storage.config.clone();
    entry.insert("storage".to_owned(), json!(storage.name));
    entry.insert("type".to_owned(), json!(storage.plugin));
    entry.insert("content".to_owned(), json!(storage.content));
    let digest = config_digest(&entry);
    entry.insert("digest".to_owned(), json!(digest));
    Value::Object(entry)
}

fn visible(call: &Call<'_>, storage: &Storage) -> bool {
    let path = format!("/storage/{}", storage.name);
    call.may(&path, &["Datastore.Audit", "Datastore.AllocateSpace"])
}

fn list_global(call: &mut Call<'_>) -> Answer {
    let kind = call.params.text("type");
    let storages = call.cluster.storages.iter();
    let list = storages
        .filter(|storage| kind.is_none_or(|kind| kind == storage.plugin))
        .filter(|storage| visible(call, storage))
        .map(configuration);
    Ok(list.collect::<Value>().into())
}

/// The storage in the path.
///
/// # Errors
/// That it does not exist.
pub(super) fn index(call: &Call<'_>) -> Result<usize, Refusal> {
    let name = call.params.string("storage");
    call.cluster
        .storages
        .iter()
        .position(|storage| storage.name == name)
        .ok_or_else(|| Refusal::died(format!("storage '{name}' does not exist")))
}

fn one_global(call: &mut Call<'_>) -> Answer {
    Ok(configuration(&call.cluster.storages[index(call)?]).into())
}

/// Which nodes have it. Nothing else of a storage can be changed here. Unrecorded.
fn change_global(call: &mut Call<'_>) -> Answer {
    let index = index(call)?;
    call.quorum()?;
    let nodes = call.params.text("nodes").map(str::to_owned);
    let config = &mut call.cluster.storages[index].config;
    match nodes {
        Some(nodes) => {
            config.insert("nodes".to_owned(), json!(nodes));
        }
        None if call.params.list("delete").iter().any(|name| name == "nodes") => {
            config.remove("nodes");
        }
        None => {}
    }
    let storage = &call.cluster.storages[index];
    Ok(json!({"storage": storage.name, "type": storage.plugin}).into())
}

fn figures_of(call: &Call<'_>, index: usize) -> Value {
    let storage = &call.cluster.storages[index];
    let used = figures::storage_used(call.cluster, index, call.node);
    json!({
        "type": storage.plugin,
        "content": storage.content,
        "shared": u8::from(storage.shared),
        "active": 1,
        "enabled": 1,
        "total": storage.total,
        "used": used,
        "avail": storage.total - used,
    })
}

fn list(call: &mut Call<'_>) -> Answer {
    let wanted = call.params.list("content");
    let name = call.params.text("storage");
    let mut list = Vec::new();
    for (index, storage) in call.cluster.storages.iter().enumerate() {
        let contents = split_list(storage.content);
        let fits = wanted.is_empty() || wanted.iter().any(|content| contents.contains(content));
        let here = storage.is_on(&call.cluster.nodes[call.node].name);
        if !fits || !here || !visible(call, storage) || name.is_some_and(|name| name != storage.name) {
            continue;
        }
        let mut entry = figures_of(call, index);
        let used = entry["used"].as_f64().unwrap_or_default();
        entry["storage"] = json!(storage.name);
        entry["used_fraction"] = json!(used / storage.total as f64);
        list.push(entry);
    }
    Ok(Value::Array(list).into())
}

fn status(call: &mut Call<'_>) -> Answer {
    Ok(figures_of(call, index(call)?).into())
}

fn content(call: &mut Call<'_>) -> Answer {
    let storage = &call.cluster.storages[index(call)?];
    let wanted = call.params.text("content");
    let vmid = call.params.integer("vmid");
    let mut list = disks(call, storage);
    list.extend(backups(call, storage));
    list.extend(files(call, storage));
    if storage.name == "local" {
        list.push(json!({
            "volid": "local:vztmpl/debian-12-standard_12.12-1_amd64.tar.zst",
            "content": "vztmpl", "format": "tzst", "size": 126_515_062, "ctime": 1_757_000_000,
        }));
        list.push(json!({
            "volid": "local:iso/debian-12.12.0-amd64-netinst.iso",
            "content": "iso", "format": "iso", "size": 702_545_920, "ctime": 1_757_000_000,
        }));
    }
    list.retain(|entry| {
        wanted.is_none_or(|wanted| entry["content"] == wanted) && vmid.is_none_or(|vmid| entry["vmid"] == vmid)
    });
    Ok(Value::Array(list).into())
}

fn disks(call: &Call<'_>, storage: &Storage) -> Vec<Value> {
    let prefix = format!("{}:", storage.name);
    let mut list = Vec::new();
    let guests = call.cluster.guests.values();
    for guest in guests.filter(|guest| storage.shared || guest.node == call.node) {
        for (_, volume, size) in guest.disks() {
            if !volume.starts_with(&prefix) {
                continue;
            }
            let format = volume.rsplit_once('.').map_or("raw", |(_, ending)| ending);
            list.push(json!({
                "volid": volume,
                "content": if guest.kind == Kind::Qemu { "images" } else { "rootdir" },
                "format": format,
                "size": size,
                "used": size / 4,
                "vmid": guest.vmid,
                "parent": null,
                "ctime": call.cluster.nodes[guest.node].booted as i64,
            }));
        }
    }
    list
}

/// Backups; those that the caller may not use are left out without a word.
/// Unrecorded; the privileges are those of the source.
fn backups(call: &Call<'_>, storage: &Storage) -> Vec<Value> {
    let path = format!("/storage/{}", storage.name);
    let all = call.may(&path, &["Datastore.Allocate"]);
    let room = call.may(&path, &["Datastore.AllocateSpace"]);
    let may = |vmid: u32| all || (room && call.may(&format!("/vms/{vmid}"), &["VM.Backup"]));
    call.cluster
        .backups
        .iter()
        .filter(|backup| backup.storage == storage.name)
        .filter(|backup| storage.shared || backup.node == call.node)
        .filter(|backup| may(backup.vmid))
        .map(|backup| {
            let mut entry = json!({
                "volid": format!("{}:backup/{}", backup.storage, backup.file),
                "content": "backup",
                "format": if backup.kind == Kind::Qemu { "vma.zst" } else { "tar.zst" },
                "subtype": backup.kind.word(),
                "vmid": backup.vmid,
                "ctime": backup.time,
                "size": backup.size,
            });
            if !backup.notes.is_empty() {
                entry["notes"] = json!(backup.notes);
            }
            entry
        })
        .collect()
}

/// Files that were put there. Their sums are what this look-alike keeps of
/// them, and stand in the notes.
fn files(call: &Call<'_>, storage: &Storage) -> Vec<Value> {
    let files = call.cluster.files.iter().filter(|file| file.storage == storage.name);
    files
        .filter(|file| storage.shared || file.node == call.node)
        .map(|file| {
            let ending = file.name.rsplit('.').next().unwrap_or_default();
            json!({
                "volid": format!("{}:{}/{}", file.storage, file.content, file.name),
                "content": file.content,
                "format": if file.content == "vztmpl" { format!("t{ending}") } else { ending.to_owned() },
                "size": file.size,
                "ctime": file.time,
                "notes": file.sha256,
            })
        })
        .collect()
}

fn members(call: &Call<'_>, pool: &str) -> Value {
    let guests = call.cluster.guests.values();
    guests
        .filter(|guest| guest.pool.as_deref() == Some(pool) && call.sees(guest))
        .map(|guest| {
            let mut entry = cluster::guest_entry(call, guest);
            if let Some(fields) = entry.as_object_mut() {
                fields.remove("pool");
                fields.remove("tags");
            }
            entry
        })
        .collect()
}

fn pool_entry(call: &Call<'_>, name: &str, with_members: bool) -> Result<Value, Refusal> {
    let comment = call.cluster.pools.get(name).ok_or_else(|| Refusal::died(format!("pool '{name}' does not exist")))?;
    let mut entry = json!({"poolid": name});
    if let Some(comment) = comment {
        entry["comment"] = json!(comment);
    }
    if with_members {
        entry["members"] = members(call, name);
    }
    Ok(entry)
}

fn pools(call: &mut Call<'_>) -> Answer {
    if let Some(name) = call.params.text("poolid") {
        return Ok(json!([pool_entry(call, name, true)?]).into());
    }
    let names = call.cluster.pools.keys();
    let list: Result<Vec<Value>, Refusal> = names
        .filter(|name| call.may(&format!("/pool/{name}"), &["Pool.Audit"]))
        .map(|name| pool_entry(call, name, false))
        .collect();
    Ok(Value::Array(list?).into())
}

fn pool(call: &mut Call<'_>) -> Answer {
    Ok(pool_entry(call, &call.params.string("poolid"), true)?.into())
}

fn create_pool(call: &mut Call<'_>) -> Answer {
    let name = call.params.string("poolid");
    let comment = call.params.text("comment").map(str::to_owned);
    if call.cluster.pools.contains_key(&name) {
        return Err(Refusal::died(format!("create pool failed: pool '{name}' already exists")));
    }
    super::access_write::quorum(call, "create pool")?;
    call.cluster.pools.insert(name, comment);
    Ok(Value::Null.into())
}

/// Deletes an empty pool. Unrecorded.
fn delete_pool(call: &mut Call<'_>) -> Answer {
    let name = call.params.string("poolid");
    pool_entry(call, &name, false)?;
    super::access_write::quorum(call, "delete pool")?;
    let mut guests = call.cluster.guests.values();
    if guests.any(|guest| guest.pool.as_deref() == Some(name.as_str())) {
        return Err(Refusal::died(format!("delete pool failed: pool '{name}' is not empty")));
    }
    call.cluster.pools.remove(&name);
    Ok(Value::Null.into())
}

/// Changes the comment, adds guests or (with `delete`) removes them. Unrecorded.
fn change_pool(call: &mut Call<'_>) -> Answer {
    let name = call.params.string("poolid");
    pool_entry(call, &name, false)?;
    super::access_write::quorum(call, "update pools")?;
    let remove = call.params.flag("delete");
    for vmid in call.params.list("vms") {
        let guest = vmid.parse().ok().and_then(|vmid: u32| call.cluster.guests.get_mut(&vmid));
        let guest = guest.ok_or_else(|| Refusal::died(format!("VM {vmid} does not exist")))?;
        guest.pool = (!remove).then(|| name.clone());
    }
    if let Some(comment) = call.params.text("comment").map(str::to_owned) {
        call.cluster.pools.insert(name, Some(comment));
    }
    Ok(Value::Null.into())
}
