//! Who a guest is, from its configuration: `/nodes/{node}/{qemu,lxc}/{vmid}/config`.

use serde_json::Value;

use super::{
    lenient,
    options::{is_mac, number_after},
};
use crate::{
    Result,
    model::{GuestIdentity, GuestKind},
    transport::http::Request,
};

/// What to ask for. Needs `VM.Audit` on `/vms/{vmid}`.
pub fn config_request(node: &str, kind: GuestKind, vmid: &str) -> Request {
    Request::get(["nodes", node, kind.as_str(), vmid, "config"])
}

/// Reads what tells a guest from others.
///
/// # Errors
/// When the answer is no object.
pub fn identity(data: &Value) -> Result<GuestIdentity> {
    let fields = lenient::object(data, "the guest's configuration")?;
    let mut macs: Vec<String> = fields
        .iter()
        .filter(|(name, _)| number_after(name, "net").is_some())
        .filter_map(|(_, value)| value.as_str())
        .filter_map(mac)
        .collect();
    macs.sort();
    macs.dedup();
    Ok(GuestIdentity {
        macs,
        smbios_uuid: fields.text("smbios1").as_deref().and_then(uuid),
        hostname: fields.text("hostname"),
    })
}

/// The hardware address in `virtio=BC:24:...,bridge=vmbr0` or `name=eth0,hwaddr=BC:24:...`, lower case.
fn mac(device: &str) -> Option<String> {
    device
        .split(',')
        .filter_map(|option| option.split_once('='))
        .map(|(_, value)| value)
        .find(|value| is_mac(value))
        .map(str::to_ascii_lowercase)
}

/// The UUID in `uuid=...,manufacturer=...`, lower case.
fn uuid(smbios: &str) -> Option<String> {
    smbios
        .split(',')
        .find_map(|option| option.strip_prefix("uuid="))
        .and_then(|text| uuid::Uuid::parse_str(text).ok())
        .map(|uuid| uuid.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn all_interfaces_count_whichever_way_they_are_written() {
        let data = json!({
            "name": "db1",
            "net0": "virtio=BC:24:11:98:F3:13,bridge=vmbr0,firewall=1",
            "net12": "model=e1000,macaddr=BC:24:11:00:00:01",
            "net2": "bridge=vmbr0",
            "net": "virtio=AA:AA:AA:AA:AA:AA",
            "network": "virtio=AA:AA:AA:AA:AA:AB",
            "net3": 7,
            "smbios1": "manufacturer=ACME,uuid=79117327-A82C-400C-A6AD-7F0ED48E7824",
        });
        let identity = identity(&data).unwrap();
        assert_eq!(identity.macs, ["bc:24:11:00:00:01", "bc:24:11:98:f3:13"]);
        assert_eq!(identity.smbios_uuid.as_deref(), Some("79117327-a82c-400c-a6ad-7f0ed48e7824"));
        assert_eq!(identity.hostname, None);
    }
}
