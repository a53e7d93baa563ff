//! The first look at a cluster: who it is, what the login may do there, and by which addresses it can be reached.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Credentials, PveApi, PveHttps};
use crate::{
    Result,
    collect::pve::{
        access::{self, Rights},
        node,
        status::{self, ClusterStatus, Member},
        version,
    },
    model::{Endpoint, ProxmoxReach, Unseen},
};

/// How long each question may take: somebody waits.
const QUESTION_LIMIT: Duration = Duration::from_secs(15);

/// A cluster as it introduces itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Introduction {
    /// How to reach it from now on: the addresses given, then those of the other nodes, each pinned.
    pub reach: ProxmoxReach,
    /// `9.1.8`
    pub version: Option<String>,
    /// Its name; a node that stands alone has none.
    pub cluster: Option<String>,
    /// Whether it has quorum.
    pub quorate: Option<bool>,
    /// Its nodes.
    pub nodes: Vec<IntroducedNode>,
    /// What will not be seen, and why: rights that the login lacks, above all.
    pub unseen: Vec<Unseen>,
}

/// A node as its cluster introduces it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntroducedNode {
    /// Its name.
    pub name: String,
    /// Its address in the cluster's network.
    pub ip: Option<String>,
    /// Whether the cluster sees it.
    pub online: bool,
    /// SHA-256 of its certificate.
    pub fingerprint: Option<String>,
}

/// Logs in, once, and looks around. Returns what was found and the API, ready for use.
///
/// # Errors
/// When nobody answers, a certificate is not known yet or changed, or the login is refused. What the login may not see is
/// in [`Introduction::unseen`] instead.
pub async fn connect(
    reach: &ProxmoxReach,
    secret: SecretString,
    otp: Option<SecretString>,
) -> Result<(Introduction, PveHttps)> {
    let credentials = Credentials::new(&reach.auth, secret).with_otp(otp);
    let api = PveHttps::new(&reach.endpoints, credentials)?;
    let introduction = introduce(reach, &api).await?;
    Ok((introduction, api))
}

async fn introduce(reach: &ProxmoxReach, api: &PveHttps) -> Result<Introduction> {
    let version = version::version(&api.call(version::request().time_limit(QUESTION_LIMIT)).await?)?;
    let (status, rights, listed, joining) = futures::join!(
        api.call(status::request().time_limit(QUESTION_LIMIT)),
        api.call(access::request().time_limit(QUESTION_LIMIT)),
        api.call(node::list_request().time_limit(QUESTION_LIMIT)),
        api.call(node::join_request().time_limit(QUESTION_LIMIT)),
    );
    let mut unseen = lacking(&access::rights(&rights?)?);
    let status = match status.and_then(|data| status::cluster_status(&data)) {
        Ok(status) => status,
        Err(error) => {
            unseen.push(Unseen::new("the cluster's name, quorum and addresses", crate::message(&error)));
            ClusterStatus::default()
        }
    };
    // A node that stands alone refuses the second question, a login with few rights both: then nothing is known.
    let fingerprints: BTreeMap<String, String> =
        [joining, listed].iter().flatten().flat_map(node::fingerprints).collect();
    let (stand_by, left_out) = stand_by(reach, &status.members, &fingerprints);
    let answered = api.label();
    let given = reach.endpoints.iter().map(|endpoint| of_node(endpoint, &status.members, &answered));
    let endpoints: Vec<Endpoint> = given.chain(stand_by).collect();
    unseen.extend(left_out);
    let nodes = status.members.into_iter().map(|member| IntroducedNode {
        online: member.online.unwrap_or(false),
        fingerprint: fingerprints.get(&member.name).cloned(),
        name: member.name,
        ip: member.ip,
    });
    Ok(Introduction {
        nodes: nodes.collect(),
        reach: ProxmoxReach { endpoints, auth: reach.auth.clone() },
        version,
        cluster: status.name,
        quorate: status.quorate,
        unseen,
    })
}

/// What a login with these rights will not see: to Proxmox, "nothing there" and "not for you" look the same.
fn lacking(rights: &Rights) -> Vec<Unseen> {
    if rights.is_empty() {
        return vec![Unseen::new(
            "everything",
            "the login has no rights at all, so all lists will be empty: give it the role PVEAuditor on / \
             (a token with privilege separation needs it beside its user)",
        )];
    }
    let wanted =
        [("nodes", "/nodes", "Sys.Audit"), ("guests", "/vms", "VM.Audit"), ("storages", "/storage", "Datastore.Audit")];
    wanted
        .into_iter()
        .filter(|(_, path, privilege)| !rights.any_below(path, privilege))
        .map(|(what, path, privilege)| Unseen::new(what, format!("the login lacks {privilege} on {path}")))
        .collect()
}

/// The other nodes' addresses with the certificates that the cluster vouches for, and those that cannot be used.
///
/// The port is that of the first address given: nodes of one cluster serve the same one.
fn stand_by(
    reach: &ProxmoxReach,
    members: &[Member],
    fingerprints: &BTreeMap<String, String>,
) -> (Vec<Endpoint>, Vec<Unseen>) {
    let given: Vec<Url> = reach.endpoints.iter().filter_map(|endpoint| Url::parse(&endpoint.url).ok()).collect();
    let port = given.first().and_then(Url::port_or_known_default).unwrap_or(8006);
    let (mut endpoints, mut left_out) = (Vec::new(), Vec::new());
    for member in members.iter().filter(|member| !member.local) {
        let address = member.ip.as_deref().and_then(|ip| ip.parse::<IpAddr>().ok());
        let (Some(address), Some(fingerprint)) = (address, fingerprints.get(&member.name)) else {
            left_out.push(Unseen::new(
                format!("{} as a stand-by", member.name),
                "its address or certificate is not told; give its address beside the first one",
            ));
            continue;
        };
        let url = match address {
            IpAddr::V4(ip) => format!("https://{ip}:{port}"),
            IpAddr::V6(ip) => format!("https://[{ip}]:{port}"),
        };
        let host = Url::parse(&url).ok().and_then(|url| url.host_str().map(str::to_owned));
        if !given.iter().any(|given| given.host_str() == host.as_deref()) {
            endpoints.push(Endpoint { url, fingerprint: Some(fingerprint.clone()), node: Some(member.name.clone()) });
        }
    }
    (endpoints, left_out)
}

/// An endpoint that was given, with the node it is: the one that has this address, else, where it is the one that
/// answered, the one that says so of itself.
fn of_node(endpoint: &Endpoint, members: &[Member], answered: &str) -> Endpoint {
    let url = Url::parse(&endpoint.url).ok();
    let host = url.as_ref().and_then(Url::host_str).map(|host| host.trim_matches(['[', ']']));
    let port = url.as_ref().and_then(Url::port_or_known_default).unwrap_or(443);
    let has_address = |member: &&Member| host.is_some() && member.ip.as_deref() == host;
    let is_answered =
        url.as_ref().and_then(Url::host_str).is_some_and(|host| answered == format!("https://{host}:{port}"));
    let found = members.iter().find(has_address).or_else(|| members.iter().find(|member| member.local && is_answered));
    Endpoint { node: found.map(|member| member.name.clone()), ..endpoint.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ProxmoxAuth;

    fn reach(urls: &[&str]) -> ProxmoxReach {
        let endpoint = |url: &&str| Endpoint { url: (*url).to_owned(), fingerprint: Some("AA".to_owned()), node: None };
        ProxmoxReach {
            endpoints: urls.iter().map(endpoint).collect(),
            auth: ProxmoxAuth::Token { id: "a@pve!b".to_owned() },
        }
    }

    fn member(name: &str, ip: &str, local: bool) -> Member {
        Member { name: name.to_owned(), online: Some(true), ip: Some(ip.to_owned()), local }
    }

    #[test]
    fn the_other_nodes_stand_by_with_their_own_certificates() {
        let members = [
            member("a", "10.0.0.1", true),
            member("b", "10.0.0.2", false),
            member("c", "fd00::3", false),
            member("d", "", false),
        ];
        let known: BTreeMap<_, _> = ["a", "b", "c", "d"].map(|name| (name.to_owned(), format!("FP-{name}"))).into();
        let (endpoints, left_out) = stand_by(&reach(&["https://pve.example:8006"]), &members, &known);
        let told: Vec<_> = endpoints.iter().map(|e| (e.url.as_str(), e.fingerprint.as_deref())).collect();
        assert_eq!(endpoints[0].node.as_deref(), Some("b"));
        assert_eq!(told, [("https://10.0.0.2:8006", Some("FP-b")), ("https://[fd00::3]:8006", Some("FP-c"))]);
        assert_eq!(left_out.len(), 1);
        assert_eq!(left_out[0].what, "d as a stand-by");
    }

    #[test]
    fn an_endpoint_that_was_given_is_the_node_with_its_address_or_the_one_that_answered() {
        let members = [member("a", "10.0.0.1", true), member("b", "fd00::2", false)];
        let given = reach(&["https://pve.example:8006", "https://[fd00::2]:8006", "https://other.example:8006"]);
        let node = |endpoint: &Endpoint| of_node(endpoint, &members, "https://pve.example:8006").node;
        let nodes: Vec<_> = given.endpoints.iter().map(node).collect();
        assert_eq!(nodes, [Some("a".to_owned()), Some("b".to_owned()), None]);
    }

    #[test]
    fn an_address_that_was_given_is_not_added_again() {
        let members = [member("a", "10.0.0.1", true), member("b", "10.0.0.2", false)];
        let known: BTreeMap<_, _> = ["a", "b"].map(|name| (name.to_owned(), format!("FP-{name}"))).into();
        let given = reach(&["https://10.0.0.1:8006", "https://10.0.0.2:8006"]);
        assert_eq!(stand_by(&given, &members, &known).0, []);
    }

    #[test]
    fn a_login_without_rights_is_told_so() {
        assert_eq!(lacking(&Rights::default())[0].what, "everything");
    }
}
