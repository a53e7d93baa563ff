//! The named formats of parameters (`pve-node`, `pve-vmid`, `mac-addr` ...).
//!
//! A format that is not known here passes: the look-alike never refuses for a
//! reason it cannot name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::params::split_list;

/// Checks one value; `NAME-list` checks each part, `NAME-opt` allows "".
///
/// # Errors
/// What the real API says about such a value, without a line end.
pub(crate) fn check(name: &str, value: &str) -> Result<(), String> {
    if let Some(single) = name.strip_suffix("-list") {
        return split_list(value).iter().try_for_each(|part| check(single, part));
    }
    if let Some(single) = name.strip_suffix("-opt") {
        return if value.is_empty() { Ok(()) } else { check(single, value) };
    }
    let (fits, complaint) = match name {
        "pve-node" => (is_label(value), "value does not look like a valid node name".to_owned()),
        "pve-vmid" => (is_vmid(value), "value does not look like a valid VM ID".to_owned()),
        "pve-configid" => (is_config_id(value), format!("invalid configuration ID '{value}'")),
        "pve-storage-id" => (is_id(value), format!("storage ID '{value}' contains illegal characters")),
        "pve-bridge-id" => (
            !value.is_empty() && value.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c)),
            format!("invalid bridge ID '{value}'"),
        ),
        "pve-iface" => (is_interface(value), format!("invalid network interface name '{value}'")),
        "pve-tag" => (is_tag(value), "invalid characters in tag".to_owned()),
        "mac-addr" => (is_unicast_mac(value), "value does not look like a valid unicast MAC address".to_owned()),
        "ip" => (IpAddr::from_str(value).is_ok(), "value does not look like a valid IP address".to_owned()),
        "ipv4" => (Ipv4Addr::from_str(value).is_ok(), "value does not look like a valid IPv4 address".to_owned()),
        "ipv6" => (Ipv6Addr::from_str(value).is_ok(), "value does not look like a valid IPv6 address".to_owned()),
        "CIDR" => (is_cidr4(value) || is_cidr6(value), "value does not look like a valid CIDR network".to_owned()),
        "CIDRv4" => (is_cidr4(value), "value does not look like a valid IPv4 CIDR network".to_owned()),
        "CIDRv6" => (is_cidr6(value), "value does not look like a valid IPv6 CIDR network".to_owned()),
        "pve-ipv4-config" => (
            matches!(value, "dhcp" | "manual") || is_cidr4(value),
            "value does not look like a valid ipv4 network configuration".to_owned(),
        ),
        "pve-ipv6-config" => (
            matches!(value, "auto" | "dhcp" | "manual") || is_cidr6(value),
            "value does not look like a valid ipv6 network configuration".to_owned(),
        ),
        "dns-name" => (value.split('.').all(is_label), "value does not look like a valid DNS name".to_owned()),
        "address" => (
            IpAddr::from_str(value).is_ok() || value.split('.').all(is_label),
            format!("value does not look like a valid address: {value}"),
        ),
        "disk-size" => (is_size(value), format!("value does not look like a valid disk size: {value}")),
        "pve-userid" => (is_userid(value), format!("value '{value}' does not look like a valid user name")),
        "pve-groupid" => (is_word(value), format!("group name '{value}' contains invalid characters")),
        "pve-roleid" => (is_word(value), format!("role name '{value}' contains invalid characters")),
        "pve-poolid" => (
            value.split('/').count() <= 3 && value.split('/').all(is_word),
            format!("pool name '{value}' contains invalid characters"),
        ),
        "pve-realm" => (is_id(value), format!("value does not look like a valid realm: {value}")),
        "pve-volume-id" => (
            value.split_once(':').is_some_and(|(s, v)| is_id(s) && !v.is_empty()),
            format!("unable to parse volume ID '{value}'"),
        ),
        _ => (true, String::new()),
    };
    if fits { Ok(()) } else { Err(complaint) }
}

fn is_label(text: &str) -> bool {
    let edge = |letter: Option<char>| letter.is_some_and(|c| c.is_ascii_alphanumeric());
    edge(text.chars().next())
        && edge(text.chars().last())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn is_vmid(text: &str) -> bool {
    (3..=9).contains(&text.len()) && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_config_id(text: &str) -> bool {
    text.len() >= 2
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}

fn is_id(text: &str) -> bool {
    text.len() >= 2
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn is_tag(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-+.".contains(c))
}

fn is_interface(text: &str) -> bool {
    let stem = text.split([':', '.']).next().unwrap_or_default();
    (2..=21).contains(&stem.len())
        && stem.starts_with(|c: char| c.is_ascii_alphabetic())
        && stem.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_unicast_mac(text: &str) -> bool {
    let bytes: Vec<&str> = text.split(':').collect();
    bytes.len() == 6
        && bytes.iter().all(|byte| byte.len() == 2 && u8::from_str_radix(byte, 16).is_ok())
        && u8::from_str_radix(bytes[0], 16).is_ok_and(|first| first & 1 == 0)
}

fn is_cidr4(text: &str) -> bool {
    text.split_once('/').is_some_and(|(ip, bits)| {
        Ipv4Addr::from_str(ip).is_ok() && bits.parse().is_ok_and(|bits: u8| (8..=32).contains(&bits))
    })
}

fn is_cidr6(text: &str) -> bool {
    text.split_once('/').is_some_and(|(ip, bits)| {
        Ipv6Addr::from_str(ip).is_ok() && bits.parse().is_ok_and(|bits: u8| (8..=128).contains(&bits))
    })
}

fn is_size(text: &str) -> bool {
    text.trim_end_matches(['K', 'M', 'G', 'T']).parse::<f64>().is_ok()
}

fn is_userid(text: &str) -> bool {
    text.rsplit_once('@')
        .is_some_and(|(user, realm)| !user.is_empty() && !user.contains([' ', ':', '/']) && is_id(realm))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_formats_refuse_what_does_not_fit() {
        assert!(check("pve-node", "pve-1").is_ok());
        assert!(check("pve-node", "pve_1").is_err());
        assert!(check("pve-vmid", "099").is_err());
        assert!(check("pve-vmid-list", "100,101").is_ok());
        assert!(check("pve-vmid-list", "100,x").is_err());
        assert!(check("mac-addr", "BC:24:11:98:F3:13").is_ok());
        assert!(check("mac-addr", "BD:24:11:98:F3:13").is_err());
        assert!(check("pve-userid", "root@pam").is_ok());
        assert!(check("pve-userid", "root").is_err());
        assert!(check("some-format-nobody-knows", "anything").is_ok());
    }
}
