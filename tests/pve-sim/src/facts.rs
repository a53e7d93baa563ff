//! The facts of the API: every path, method, parameter and permission.
//!
//! They were gathered from the API's own description and hold facts only (no
//! descriptions). [`facts`] gives the parsed set; [`Facts::find`] matches a
//! request path against it, a literal segment before a `{parameter}` one.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::params::Params;

/// What one method of one path takes and asks for.
#[derive(Debug, Deserialize)]
pub(crate) struct Method {
    /// Parameter name to its schema; names such as `net[n]` stand for a family.
    #[serde(default)]
    pub(crate) parameters: Map<String, Value>,
    /// Who may call it; null where only `root@pam` may.
    #[serde(default)]
    pub(crate) permissions: Value,
    /// The parameter that names the node which answers.
    #[serde(default)]
    pub(crate) proxyto: Option<String>,
    /// Whether an API token may call it.
    #[serde(default)]
    pub(crate) allowtoken: u8,
}

#[derive(Deserialize)]
struct File {
    paths: BTreeMap<String, BTreeMap<String, Method>>,
}

#[derive(Default)]
struct Branch {
    literal: BTreeMap<String, Branch>,
    /// Parameters by name: `/sdn/{a}` and `/sdn/{b}` may both exist.
    parameter: BTreeMap<String, Branch>,
    /// The template and its methods, where a path ends here.
    end: Option<(&'static str, &'static BTreeMap<String, Method>)>,
}

/// The whole API as a tree of path segments.
pub(crate) struct Facts {
    root: Branch,
}

/// A request's place in the API.
pub(crate) struct Found {
    /// The path with its parameters by name, such as `/nodes/{node}/status`.
    pub(crate) template: &'static str,
    /// What that method takes.
    pub(crate) method: &'static Method,
    /// The values of the parameters in the path.
    pub(crate) params: Params,
}

static PATHS: LazyLock<BTreeMap<String, BTreeMap<String, Method>>> = LazyLock::new(|| {
    let file: File = serde_json::from_str(include_str!("../facts/api-9.2.json"))
        .unwrap_or_else(|error| panic!("the facts file in this crate does not parse: {error}"));
    file.paths
});

static FACTS: LazyLock<Facts> = LazyLock::new(|| {
    let mut root = Branch::default();
    for (template, methods) in PATHS.iter() {
        let mut at = &mut root;
        for segment in segments(template) {
            at = match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(name) => at.parameter.entry(name.to_owned()).or_default(),
                None => at.literal.entry(segment.to_owned()).or_default(),
            };
        }
        at.end = Some((template, methods));
    }
    Facts { root }
});

/// The parsed facts, read once per process.
pub(crate) fn facts() -> &'static Facts {
    &FACTS
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

impl Facts {
    /// Finds the method for a path whose segments are already percent-decoded.
    ///
    /// None where the API knows no such path, or not with this method.
    pub(crate) fn find(&self, method: &str, path: &[String]) -> Option<Found> {
        let mut taken = Vec::new();
        let (template, methods) = walk(&self.root, path, method, &mut taken)?;
        let mut params = Params::default();
        for (name, value) in taken {
            params.set(&name, Value::String(value));
        }
        Some(Found { template, method: methods.get(method)?, params })
    }
}

type End = (&'static str, &'static BTreeMap<String, Method>);

fn walk(at: &Branch, path: &[String], method: &str, taken: &mut Vec<(String, String)>) -> Option<End> {
    let Some((segment, rest)) = path.split_first() else {
        return at.end.filter(|(_, methods)| methods.contains_key(method));
    };
    if let Some(next) = at.literal.get(segment)
        && let Some(end) = walk(next, rest, method, taken)
    {
        return Some(end);
    }
    for (name, next) in &at.parameter {
        taken.push((name.clone(), segment.clone()));
        if let Some(end) = walk(next, rest, method, taken) {
            return Some(end);
        }
        taken.pop();
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn path(text: &str) -> Vec<String> {
        segments(text).map(str::to_owned).collect()
    }

    #[test]
    fn a_path_gives_its_template_and_parameters() {
        let found = facts().find("GET", &path("/nodes/pve1/qemu/100/config")).unwrap();
        assert_eq!(found.template, "/nodes/{node}/qemu/{vmid}/config");
        assert_eq!(found.params.text("node"), Some("pve1"));
        assert_eq!(found.params.text("vmid"), Some("100"));
    }

    #[test]
    fn an_unknown_path_or_method_is_none() {
        assert!(facts().find("GET", &path("/nodes/pve1/nope")).is_none());
        assert!(facts().find("PUT", &path("/version")).is_none());
    }

    #[test]
    fn every_template_finds_itself() {
        for (template, methods) in PATHS.iter() {
            for method in methods.keys() {
                let found = facts().find(method, &path(template)).unwrap();
                assert_eq!(found.template, template);
            }
        }
    }
}
