//! What Proxmox VE says: any JSON, and the tables of its tools.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reanimator_core::collect::pve::{access, guest, node, plain, resources, status, version};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    plain::qm_list(&text, "pve1");
    plain::pct_list(&text, "pve1");
    plain::pvesm_status(&text, "pve1");
    version::from_pveversion(&text);
    let Ok(data) = serde_json::from_slice(bytes) else { return };
    // An answer of another shape is an error, which is well.
    let _ = access::rights(&data);
    let _ = guest::identity(&data);
    let _ = node::node_status(&data);
    let _ = node::macs(&data);
    node::fingerprints(&data);
    let _ = resources::resources(&data);
    let _ = status::cluster_status(&data);
    let _ = version::version(&data);
});
