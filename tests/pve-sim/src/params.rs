//! The parameters of one call: from the path, the query and the body.
//!
//! Values stay as they were sent (mostly text), as Proxmox keeps them, and are
//! read by name and kind after [`check`](crate::check::check) has passed them.

use std::collections::BTreeMap;

use serde_json::Value;

/// Parameters by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(BTreeMap<String, Value>);

impl Params {
    /// Reads a query or a form body. A name given twice becomes a list.
    pub(crate) fn from_form(text: &str) -> Self {
        let mut params = Self::default();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            let value = Value::String(value.into_owned());
            match params.0.get_mut(name.as_ref()) {
                Some(Value::Array(list)) => list.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
                None => {
                    params.0.insert(name.into_owned(), value);
                }
            }
        }
        params
    }

    /// Sets one parameter.
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// All of them, in the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A parameter as text, where it was sent as text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// A parameter as text, whatever it was sent as; "" where absent.
    pub(crate) fn string(&self, name: &str) -> String {
        self.0.get(name).map(plain).unwrap_or_default()
    }

    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(|value| plain(value).parse().ok())
    }

    /// A boolean parameter; absent is false.
    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.0.get(name).map(plain).as_deref(), Some("1" | "true" | "on" | "yes"))
    }

    /// The `vmid` in the path; 0, which no guest has, where there is none.
    pub(crate) fn vmid(&self) -> u32 {
        self.integer("vmid").and_then(|vmid| u32::try_from(vmid).ok()).unwrap_or(0)
    }

    /// The values of a parameter that may be given several times.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        match self.0.get(name) {
            Some(Value::Array(list)) => list.iter().map(plain).collect(),
            Some(value) => vec![plain(value)],
            None => Vec::new(),
        }
    }

    /// A list in one text, separated by `,`, `;` or spaces.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        split_list(&self.string(name))
    }
}

/// A value as the text a form would have carried.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "1".to_owned(),
        Value::Bool(false) => "0".to_owned(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Splits a list the way Proxmox does: at commas, semicolons, NULs and spaces.
pub(crate) fn split_list(text: &str) -> Vec<String> {
    text.split([',', ';', ' ', '\0', '\n', '\t']).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
