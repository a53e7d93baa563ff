//! Who may do what: users, groups, tokens, roles and the access control list.
//!
//! [`Access::permitted`] evaluates the permission expressions of the facts.
//! `root@pam` may do everything; a token of root may too unless its privileges
//! are separated, but it is not root where the API asks for root by name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::Value;

use crate::facts::Method;
use crate::params::Params;
use crate::refusal::Refusal;

/// Role name to its privileges, separated by commas.
static ROLES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../facts/roles.json"))
        .unwrap_or_else(|error| panic!("the roles file in this crate does not parse: {error}"))
});

/// Who calls: a user, or a token of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// `root@pam`.
    pub(crate) user: String,
    /// The token's name, without user and `!`.
    pub(crate) token: Option<String>,
}

impl Caller {
    /// A user without a token.
    pub(crate) fn user(name: &str) -> Self {
        Self { user: name.to_owned(), token: None }
    }

    /// `root@pam` or `root@pam!test`.
    pub(crate) fn full_name(&self) -> String {
        match &self.token {
            Some(token) => format!("{}!{token}", self.user),
            None => self.user.clone(),
        }
    }

    /// Whether it is root itself: a token of root is not.
    pub(crate) fn is_root(&self) -> bool {
        self.token.is_none() && self.user == "root@pam"
    }
}

/// A user of the cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct User {
    pub(crate) password: Option<String>,
    pub(crate) enable: bool,
    pub(crate) expire: i64,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) comment: Option<String>,
    pub(crate) groups: BTreeSet<String>,
    pub(crate) tokens: BTreeMap<String, Token>,
}

/// A user's API token.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) secret: String,
    pub(crate) expire: i64,
    /// Whether it has only what is granted to it itself.
    pub(crate) separated: bool,
    pub(crate) comment: Option<String>,
}

/// One entry of the access control list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: String,
    /// `user`, `group` or `token`.
    pub(crate) kind: &'static str,
    /// The user, group or token it is for.
    pub(crate) who: String,
    pub(crate) role: String,
    pub(crate) propagate: bool,
}

/// Everything that `/access` is about.
#[derive(Default)]
pub(crate) struct Access {
    pub(crate) users: BTreeMap<String, User>,
    /// Group name to its comment.
    pub(crate) groups: BTreeMap<String, Option<String>>,
    pub(crate) acl: Vec<Entry>,
    /// Roles that were made here, with their privileges.
    pub(crate) own_roles: BTreeMap<String, String>,
    /// The key that signs tickets.
    pub(crate) ticket_key: String,
}

/// All privileges there are.
pub(crate) fn all_privileges() -> impl Iterator<Item = &'static str> {
    ROLES.get("Administrator").into_iter().flat_map(|privileges| privileges.split(','))
}

impl Access {
    /// Every role: name, privileges, whether it is built in.
    pub(crate) fn roles(&self) -> Vec<(String, String, bool)> {
        let built_in = ROLES.iter().map(|(name, privileges)| (name.clone(), privileges.clone(), true));
        let own = self.own_roles.iter().map(|(name, privileges)| (name.clone(), privileges.clone(), false));
        built_in.chain(own).collect()
    }

    fn privileges_of_role(&self, role: &str) -> &str {
        ROLES.get(role).or_else(|| self.own_roles.get(role)).map_or("", String::as_str)
    }

    /// The privileges a caller has on a path.
    pub(crate) fn privileges(&self, caller: &Caller, path: &str) -> BTreeSet<String> {
        let of_user = if caller.user == "root@pam" {
            all_privileges().map(str::to_owned).collect()
        } else {
            self.granted(path, |entry| match entry.kind {
                "user" => entry.who == caller.user,
                "group" => self.users.get(&caller.user).is_some_and(|user| user.groups.contains(&entry.who)),
                _ => false,
            })
        };
        let separated = caller.token.as_ref().is_some_and(|name| {
            let token = self.users.get(&caller.user).and_then(|user| user.tokens.get(name));
            token.is_none_or(|token| token.separated)
        });
        if !separated {
            return of_user;
        }
        let name = caller.full_name();
        let of_token = self.granted(path, |entry| entry.kind == "token" && entry.who == name);
        of_user.intersection(&of_token).cloned().collect()
    }

    /// What entries give on a path: those of the nearest level that has any.
    fn granted(&self, path: &str, mine: impl Fn(&Entry) -> bool) -> BTreeSet<String> {
        let levels = std::iter::successors(Some(path), |path| {
            let end = path.trim_end_matches('/').rfind('/')?;
            (*path != "/").then(|| if end == 0 { "/" } else { &path[..end] })
        });
        for level in levels {
            let roles: Vec<&Entry> = self
                .acl
                .iter()
                .filter(|entry| entry.path == level && (level == path || entry.propagate))
                .filter(|entry| mine(entry))
                .collect();
            if !roles.is_empty() {
                return roles
                    .into_iter()
                    .flat_map(|entry| self.privileges_of_role(&entry.role).split(','))
                    .filter(|privilege| !privilege.is_empty())
                    .map(str::to_owned)
                    .collect();
            }
        }
        BTreeSet::new()
    }

    /// Whether a caller has one of these privileges on a path.
    pub(crate) fn has_any(&self, caller: &Caller, path: &str, wanted: &[&str]) -> bool {
        let has = self.privileges(caller, path);
        wanted.iter().any(|privilege| has.contains(*privilege))
    }

    /// Whether a caller may see that a guest is there.
    pub(crate) fn sees_guest(&self, caller: &Caller, vmid: u32, pool: Option<&str>) -> bool {
        self.has_any(caller, &format!("/vms/{vmid}"), &["VM.Audit"])
            || pool.is_some_and(|pool| self.has_any(caller, &format!("/pool/{pool}"), &["VM.Audit"]))
    }

    /// Checks a caller against what a method asks for.
    ///
    /// # Errors
    /// Status 403 with what is missing, in the wording of the real API.
    pub(crate) fn permitted(&self, caller: Option<&Caller>, method: &Method, params: &Params) -> Result<(), Refusal> {
        let wanted = &method.permissions;
        let anyone = wanted.get("user").and_then(Value::as_str);
        let Some(caller) = caller else {
            return match anyone {
                Some("world") => Ok(()),
                _ => Err(Refusal::forbidden("user != null")),
            };
        };
        if caller.is_root() {
            return Ok(());
        }
        if caller.token.is_some() && method.allowtoken == 0 {
            return Err(Refusal::forbidden("no API tokens"));
        }
        if matches!(anyone, Some("world" | "all")) {
            return Ok(());
        }
        match wanted.get("check") {
            Some(check) => self.evaluate(caller, check, params),
            None => Err(Refusal::forbidden("user != root@pam")),
        }
    }

    fn evaluate(&self, caller: &Caller, check: &Value, params: &Params) -> Result<(), Refusal> {
        let word = |index: usize| check.get(index).and_then(Value::as_str).unwrap_or_default();
        let rest = check.as_array().map(|list| &list[1..]).unwrap_or_default();
        match word(0) {
            "and" => rest.iter().try_for_each(|part| self.evaluate(caller, part, params)),
            "or" => {
                let mut last = Err(Refusal::forbidden("none of the alternatives"));
                for part in rest {
                    last = self.evaluate(caller, part, params);
                    if last.is_ok() {
                        break;
                    }
                }
                last
            }
            "perm" => {
                let path = fill(word(1), params);
                let words = |value: &Value| value.as_str().map(str::to_owned);
                let privileges: Vec<String> = check
                    .get(2)
                    .and_then(Value::as_array)
                    .map(|list| list.iter().filter_map(words).collect())
                    .unwrap_or_default();
                let options: Vec<&str> = rest.iter().filter_map(Value::as_str).collect();
                if options.contains(&"require_param") {
                    let needed = options.last().copied().unwrap_or_default();
                    if !params.has(needed) {
                        return Err(Refusal::forbidden(&path));
                    }
                }
                self.check_path(caller, &path, &privileges, options.contains(&"any"))
            }
            "userid-param" if word(1) == "self" => {
                if params.text("userid") == Some(caller.user.as_str()) {
                    Ok(())
                } else {
                    Err(Refusal::forbidden("userid"))
                }
            }
            "userid-param" => self.check_path(caller, "/access/realm", &[word(1).to_owned()], false),
            "userid-group" => self.check_path(caller, "/access/groups", &["User.Modify".to_owned()], true),
            "perm-modify" => {
                let path = params.string("path");
                self.check_path(caller, &path, &["Permissions.Modify".to_owned()], false)
            }
            _ => Err(Refusal::forbidden("unknown permission test")),
        }
    }

    fn check_path(&self, caller: &Caller, path: &str, privileges: &[String], any: bool) -> Result<(), Refusal> {
        let has = self.privileges(caller, path);
        let enough = if any {
            privileges.iter().any(|privilege| has.contains(privilege))
        } else {
            privileges.iter().all(|privilege| has.contains(privilege))
        };
        if enough {
            return Ok(());
        }
        let separator = if any { "|" } else { "," };
        Err(Refusal::forbidden(&format!("{path}, {}", privileges.join(separator))))
    }
}

/// Puts parameters into a path such as `/vms/{vmid}`.
fn fill(path: &str, params: &Params) -> String {
    path.split('/')
        .map(|segment| {
            let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            name.map_or_else(|| segment.to_owned(), |name| params.string(name))
        })
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> (Access, Caller) {
        let mut access = Access::default();
        let token = Token { secret: String::new(), expire: 0, separated: true, comment: None };
        let mut user = User::default();
        user.tokens.insert("t".to_owned(), token);
        access.users.insert("root@pam".to_owned(), user);
        let caller = Caller { user: "root@pam".to_owned(), token: Some("t".to_owned()) };
        (access, caller)
    }

    #[test]
    fn a_separated_token_has_only_its_own_grants() {
        let (mut access, caller) = access();
        assert!(access.privileges(&caller, "/vms/100").is_empty());
        access.acl.push(Entry {
            path: "/vms".to_owned(),
            kind: "token",
            who: "root@pam!t".to_owned(),
            role: "PVEAuditor".to_owned(),
            propagate: true,
        });
        assert!(access.has_any(&caller, "/vms/100", &["VM.Audit"]));
        assert!(!access.has_any(&caller, "/vms/100", &["VM.PowerMgmt"]));
        assert!(!access.has_any(&caller, "/nodes/pve1", &["Sys.Audit"]));
    }

    #[test]
    fn a_nearer_entry_replaces_a_farther_one() {
        let (mut access, caller) = access();
        for (path, role) in [("/", "Administrator"), ("/vms/100", "NoAccess")] {
            access.acl.push(Entry {
                path: path.to_owned(),
                kind: "token",
                who: "root@pam!t".to_owned(),
                role: role.to_owned(),
                propagate: true,
            });
        }
        assert!(access.has_any(&caller, "/vms/101", &["VM.Audit"]));
        assert!(!access.has_any(&caller, "/vms/100", &["VM.Audit"]));
    }
}
