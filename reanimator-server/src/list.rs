//! Lists, written once: `limit`, `cursor`, `sort`, `filter` and `fields` mean the same wherever there are items.
//!
//! A handler gives all items it has and gets one page of them. The cursor names the place in the sorted order after
//! which to go on (not a number of items), so that a host which comes or goes between two pages shifts nothing.

use std::{borrow::Cow, cmp::Ordering, marker::PhantomData};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reanimator_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

/// As many items as one page holds where the client names no number.
const DEFAULT_LIMIT: usize = 100;
/// As many items as one page holds at most.
const LARGEST_LIMIT: usize = 1000;

/// What every list takes.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// How many items at most, up to 1000. Defaults to 100.
    limit: Option<usize>,
    /// Goes on where the page before ended: its `next_cursor`.
    cursor: Option<String>,
    /// The field to sort by; `-` before it sorts downwards; dots reach into it (`-memory.used_bytes`).
    sort: Option<String>,
    /// Which items. Hosts take a selector (`group:web state:online`); other lists take names, globs and
    /// `field:value`, any of which may match; interfaces are named by their `interface`.
    filter: Option<String>,
    /// The fields to give, with commas between. Defaults to all.
    fields: Option<String>,
}

/// One page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The items.
    #[schema(value_type = Vec<T>)]
    items: Vec<Value>,
    /// Where the next page begins; null on the last one.
    next_cursor: Option<String>,
    /// How many items there are on all pages.
    total: usize,
    #[serde(skip)]
    #[schema(ignore)]
    of: PhantomData<T>,
}

/// A place in a sorted list, sent to the client as an opaque text.
#[derive(Serialize, Deserialize)]
struct Cursor {
    sort: String,
    value: Value,
    tie: String,
}

/// An item with what decides its place: looked up once, not at each comparison.
struct Placed<'v> {
    key: &'v Value,
    tie: Cow<'v, str>,
    value: &'v Value,
}

impl Placed<'_> {
    fn place(&self) -> (&Value, &str) {
        (self.key, &self.tie)
    }
}

/// The field to sort by and the direction.
struct Sort<'a> {
    path: &'a str,
    downwards: bool,
}

impl ListQuery {
    /// What the client filters by.
    pub(crate) fn filter(&self) -> Option<&str> {
        self.filter.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }

    /// How many items at most.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for zero and for more than a page holds.
    pub(crate) fn limit(&self) -> Result<usize> {
        match self.limit {
            None => Ok(DEFAULT_LIMIT),
            Some(limit) if (1..=LARGEST_LIMIT).contains(&limit) => Ok(limit),
            Some(limit) => Err(invalid(format!("a page holds 1 to {LARGEST_LIMIT} items, not {limit}"))
                .next("go through more of them in pages, with `cursor`")),
        }
    }

    /// The cursor as the client sent it.
    pub(crate) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref().filter(|text| !text.is_empty())
    }

    /// The page of `items` that was asked for, after the generic filter.
    pub(crate) fn filtered_page<T: Serialize>(&self, items: &[T], default_sort: &str) -> Result<Page<T>> {
        self.filtered_values(&as_values(items)?, default_sort)
    }

    /// The page that was asked for of items that are JSON already, after the generic filter.
    pub(crate) fn filtered_values<T>(&self, values: &[Value], default_sort: &str) -> Result<Page<T>> {
        if let Some(filter) = self.filter() {
            refuse_unknown_fields(values, filter)?;
        }
        let terms: Option<Vec<_>> = self.filter().map(|filter| terms(filter).collect());
        let wanted = |value: &&Value| terms.as_ref().is_none_or(|terms| matches_any(value, terms));
        self.page_of(values.iter().filter(wanted).collect(), default_sort)
    }

    /// The page of `items` that was asked for; the caller has filtered them already.
    pub(crate) fn page<T: Serialize>(&self, items: &[T], default_sort: &str) -> Result<Page<T>> {
        self.page_of(as_values(items)?.iter().collect(), default_sort)
    }

    fn page_of<T>(&self, values: Vec<&Value>, default_sort: &str) -> Result<Page<T>> {
        let limit = self.limit()?;
        let total = values.len();
        let sort_text = self.sort.as_deref().unwrap_or(default_sort);
        let sort = Sort::parse(sort_text, &values)?;
        let mut placed: Vec<Placed<'_>> = values.into_iter().map(|value| sort.placed(value)).collect();
        if let Some(text) = self.cursor() {
            let after = Cursor::decode(text, sort_text)?;
            placed.retain(|item| sort.compare(item.place(), (&after.value, &after.tie)) == Ordering::Greater);
        }
        let more = placed.len() > limit;
        if more {
            // Only what is on the page needs its order.
            placed.select_nth_unstable_by(limit, |a, b| sort.compare(a.place(), b.place()));
            placed.truncate(limit);
        }
        placed.sort_by(|a, b| sort.compare(a.place(), b.place()));
        let next_cursor = match placed.last() {
            Some(last) if more => Some(Cursor::after(last, sort_text).encode()?),
            _ => None,
        };
        let items = self.only_fields(placed.into_iter().map(|item| item.value).collect())?;
        Ok(Page { items, next_cursor, total, of: PhantomData })
    }

    fn only_fields(&self, values: Vec<&Value>) -> Result<Vec<Value>> {
        let Some(fields) = &self.fields else { return Ok(values.into_iter().cloned().collect()) };
        let names: Vec<&str> = fields.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        values.into_iter().map(|value| reduced(value, &names)).collect()
    }
}

impl<'a> Sort<'a> {
    fn parse(text: &'a str, values: &[&Value]) -> Result<Self> {
        let (path, downwards) = text.strip_prefix('-').map_or((text, false), |path| (path, true));
        let sort = Self { path, downwards };
        let top = path.split('.').next().unwrap_or(path);
        if let Some(Value::Object(first)) = values.first()
            && !first.contains_key(top)
        {
            let cause = format!("there is no field '{top}' to sort by");
            return Err(invalid(cause).next(format!("sort by one of {}", names_of(first))));
        }
        if values.iter().any(|value| matches!(sort.key(value), Value::Object(_) | Value::Array(_))) {
            let cause = format!("'{path}' holds several values");
            return Err(invalid(cause).next(format!("sort by one within it, as in '{path}.name'")));
        }
        Ok(sort)
    }

    fn key<'v>(&self, value: &'v Value) -> &'v Value {
        self.path.split('.').fold(value, |value, name| value.get(name).unwrap_or(&Value::Null))
    }

    fn placed<'v>(&self, value: &'v Value) -> Placed<'v> {
        Placed { key: self.key(value), tie: tie_of(value), value }
    }

    /// Absent values come last, whichever the direction; equal ones go by their tie-breaker.
    fn compare(&self, (a, a_tie): (&Value, &str), (b, b_tie): (&Value, &str)) -> Ordering {
        let by_value = match (a, b) {
            (Value::Null, Value::Null) => Ordering::Equal,
            (Value::Null, _) => Ordering::Greater,
            (_, Value::Null) => Ordering::Less,
            (a, b) if self.downwards => compare_scalars(b, a),
            (a, b) => compare_scalars(a, b),
        };
        by_value.then_with(|| a_tie.cmp(b_tie))
    }
}

impl Cursor {
    fn after(last: &Placed<'_>, sort_text: &str) -> Self {
        Self { sort: sort_text.to_owned(), value: last.key.clone(), tie: last.tie.clone().into_owned() }
    }

    fn encode(&self) -> Result<String> {
        let text = serde_json::to_vec(self).map_err(internal)?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode(text))
    }

    fn decode(text: &str, sort_text: &str) -> Result<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
        let cursor: Option<Self> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        match cursor {
            Some(cursor) if cursor.sort == sort_text => Ok(cursor),
            Some(_) => Err(invalid("this cursor belongs to another sort order".to_owned())
                .next("keep the `sort` of the first page, or begin again without `cursor`")),
            None => {
                Err(invalid("this is not a cursor that this service gave".to_owned())
                    .next("begin again without `cursor`"))
            }
        }
    }
}

fn as_values<T: Serialize>(items: &[T]) -> Result<Vec<Value>> {
    items.iter().map(|item| serde_json::to_value(item).map_err(internal)).collect()
}

/// What makes an item's place in the order definite: its id, else its name.
fn tie_of(value: &Value) -> Cow<'_, str> {
    let name = ["id", "name"].iter().find_map(|field| value.get(field).and_then(Value::as_str));
    name.map_or_else(|| value.to_string().into(), Cow::from)
}

fn compare_scalars(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (a, b) => a.to_string().cmp(&b.to_string()),
    }
}

fn reduced(value: &Value, names: &[&str]) -> Result<Value> {
    let Value::Object(all) = value else { return Ok(value.clone()) };
    let mut kept = Map::new();
    for name in names {
        let unknown =
            || invalid(format!("there is no field '{name}'")).next(format!("ask for some of {}", names_of(all)));
        kept.insert((*name).to_owned(), all.get(*name).ok_or_else(unknown)?.clone());
    }
    Ok(Value::Object(kept))
}

fn matches_any(value: &Value, terms: &[(Option<&str>, &str)]) -> bool {
    terms.iter().any(|(field, pattern)| {
        let field = field.unwrap_or(if value.get("name").is_some() { "name" } else { "interface" });
        match value.get(field) {
            Some(Value::String(text)) => matches_glob(pattern, text),
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).any(|text| matches_glob(pattern, text)),
            Some(Value::Null) | None => false,
            Some(scalar) => matches_glob(pattern, &scalar.to_string()),
        }
    })
}

/// The terms of a filter, each with the field that it names.
fn terms(filter: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    let terms = filter.split([',', ' ']).filter(|term| !term.is_empty());
    terms.map(|term| term.split_once(':').map_or((None, term), |(field, pattern)| (Some(field), pattern)))
}

/// A field that no item has is a slip: an empty list would hide it.
fn refuse_unknown_fields(values: &[Value], filter: &str) -> Result<()> {
    let known = |field: &str| values.is_empty() || values.iter().any(|value| value.get(field).is_some());
    match (terms(filter).filter_map(|(field, _)| field).find(|field| !known(field)), values.first()) {
        (Some(field), Some(Value::Object(first))) => Err(invalid(format!("there is no field '{field}' to filter by"))
            .next(format!("filter by one of {}", names_of(first)))),
        _ => Ok(()),
    }
}

/// Whether `text` is `pattern`, in which `*` stands for anything.
fn matches_glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

fn names_of(item: &Map<String, Value>) -> String {
    item.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn invalid(cause: String) -> Error {
    Error::new(ErrorKind::Invalid, "list the items").because(cause)
}

fn internal(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Internal, "write a list as JSON").from_source(error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn hosts() -> Vec<Value> {
        vec![
            json!({"id": "1", "name": "web2", "cpu_percent": 5.0, "memory": {"used_bytes": 9}, "tags": ["prod"]}),
            json!({"id": "2", "name": "db", "cpu_percent": null, "memory": null, "tags": []}),
            json!({"id": "3", "name": "web1", "cpu_percent": 50, "memory": {"used_bytes": 1}, "tags": ["prod", "x"]}),
            json!({"id": "4", "name": "pi", "cpu_percent": 5.0, "memory": {"used_bytes": 5}, "tags": []}),
        ]
    }

    fn names(page: &Page<Value>) -> Vec<String> {
        page.items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    }

    fn sorted_by(sort: &str) -> Vec<String> {
        let query = ListQuery { sort: Some(sort.into()), ..ListQuery::default() };
        names(&query.page(&hosts(), "name").unwrap())
    }

    #[test]
    fn absent_values_come_last_in_both_directions() {
        assert_eq!(sorted_by("cpu_percent"), ["web2", "pi", "web1", "db"]);
        assert_eq!(sorted_by("-cpu_percent"), ["web1", "web2", "pi", "db"]);
        assert_eq!(sorted_by("-memory.used_bytes"), ["web2", "pi", "web1", "db"]);
        assert_eq!(sorted_by("name"), ["db", "pi", "web1", "web2"]);
    }

    #[test]
    fn pages_together_are_the_whole_list_each_item_once() {
        let mut seen = Vec::new();
        let mut query = ListQuery { limit: Some(1), sort: Some("-cpu_percent".into()), ..ListQuery::default() };
        loop {
            let page = query.page(&hosts(), "name").unwrap();
            assert_eq!(page.total, 4);
            seen.extend(names(&page));
            match page.next_cursor {
                Some(cursor) => query.cursor = Some(cursor),
                None => break,
            }
        }
        assert_eq!(seen, ["web1", "web2", "pi", "db"]);
    }

    #[test]
    fn an_item_that_goes_between_two_pages_hides_no_other() {
        let mut query = ListQuery { limit: Some(2), ..ListQuery::default() };
        let page = query.page(&hosts(), "name").unwrap();
        query.cursor = page.next_cursor;
        let fewer: Vec<Value> = hosts().into_iter().filter(|host| host["name"] != "db").collect();
        assert_eq!(names(&query.page(&fewer, "name").unwrap()), ["web1", "web2"]);
    }

    #[test]
    fn only_the_named_fields_are_given() {
        let query = ListQuery { fields: Some("name, tags".into()), limit: Some(1), ..ListQuery::default() };
        let page = query.page(&hosts(), "name").unwrap();
        assert_eq!(page.items, [json!({"name": "db", "tags": []})]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |query: ListQuery| query.page::<Value>(&hosts(), "name").err().unwrap().kind();
        let with = ListQuery::default;
        assert_eq!(refused(ListQuery { limit: Some(0), ..with() }), ErrorKind::Invalid);
        assert_eq!(refused(ListQuery { limit: Some(1001), ..with() }), ErrorKind::Invalid);
        assert_eq!(refused(ListQuery { sort: Some("size".into()), ..with() }), ErrorKind::Invalid);
        assert_eq!(refused(ListQuery { sort: Some("memory".into()), ..with() }), ErrorKind::Invalid);
        assert_eq!(refused(ListQuery { fields: Some("size".into()), ..with() }), ErrorKind::Invalid);
        assert_eq!(refused(ListQuery { cursor: Some("!".into()), ..with() }), ErrorKind::Invalid);
        let other = ListQuery { limit: Some(1), ..with() }.page(&hosts(), "name").unwrap().next_cursor;
        assert_eq!(refused(ListQuery { cursor: other, sort: Some("id".into()), ..with() }), ErrorKind::Invalid);
    }

    #[test]
    fn filters_are_names_globs_and_fields() {
        let filtered = |filter: &str| {
            let query = ListQuery { filter: Some(filter.into()), ..ListQuery::default() };
            names(&query.filtered_page(&hosts(), "name").unwrap())
        };
        assert_eq!(filtered("web*"), ["web1", "web2"]);
        assert_eq!(filtered("db, pi"), ["db", "pi"]);
        assert_eq!(filtered("tags:prod"), ["web1", "web2"]);
        assert_eq!(filtered("*b1 *i"), ["pi", "web1"]);
        assert_eq!(filtered("nobody"), [""; 0]);
    }

    #[test]
    fn a_filter_by_a_field_that_no_item_has_is_refused() {
        let query = ListQuery { filter: Some("web1 nmae:web1".into()), ..ListQuery::default() };
        let error = query.filtered_page(&hosts(), "name").err().unwrap();
        assert!(reanimator_core::message(&error).contains("nmae"), "{error:?}");
        assert!(error.next_step().unwrap().contains("cpu_percent"), "{error:?}");
        assert!(query.filtered_page::<Value>(&[], "name").is_ok(), "nothing is known of an empty list");
    }
}
