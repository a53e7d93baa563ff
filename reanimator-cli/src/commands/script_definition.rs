//! What `script create` and `script edit` take: a definition, piece by piece or as a document.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::Args;
use reanimator_core::model::{Parameter, ParameterKind, Risk, Role, Script};
use serde_json::{Value, json};

use crate::failure::{Failure, usage};

/// A file longer than this is refused.
const LONGEST: u64 = 1 << 20;

/// The pieces of a definition.
#[derive(Debug, Args)]
pub(crate) struct Definition {
    /// Take all of it from a JSON file, as `script show --json` prints it; - is standard input
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Its text; - is standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// What it does
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A parameter: NAME:text|integer|boolean|choice, then after commas required, secret, default=V, min=N, max=N (the number, or
    /// the length of a text), values=A|B, variable=NAME, help=TEXT, and at the end pattern=REGEX (may be repeated; replaces all)
    #[arg(long = "param", value_name = "NAME:TYPE[,...]")]
    parameters: Vec<String>,
    /// What runs it: /bin/bash, "/usr/bin/python3 -I"
    #[arg(long, value_name = "PATH")]
    interpreter: Option<String>,
    /// Where it may run: a selector
    #[arg(long, value_name = "SELECTOR")]
    hosts: Option<String>,
    /// The least role that may run it: operator or admin
    #[arg(long)]
    role: Option<Role>,
    /// Who may run it, beside admins: a user's name, token:NAME (may be repeated; replaces all; "" for everybody of the role)
    #[arg(long = "allow", value_name = "WHO")]
    users: Vec<String>,
    /// What it may cost: none, low, disruptive, destructive
    #[arg(long, value_parser = risk)]
    risk: Option<Risk>,
    /// After how many seconds it is ended
    #[arg(long, value_name = "SECONDS")]
    time_limit: Option<u32>,
    /// How many bytes of what it writes are kept
    #[arg(long, value_name = "BYTES")]
    output_limit: Option<u32>,
    /// How much memory it may take, in MiB; 0 for no limit
    #[arg(long, value_name = "MIB")]
    memory: Option<u32>,
    /// How many processes it may have; 0 for no limit
    #[arg(long, value_name = "NUMBER")]
    tasks: Option<u32>,
    /// As which user it runs; "" for the usual one
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Whether the system's files are read-only to it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    protect_system: Option<bool>,
}

impl Definition {
    /// A new script.
    pub(crate) fn new_script(self, name: &str) -> Result<Script, Failure> {
        if self.from.is_none() && self.file.is_none() {
            return Err(usage(&format!("define {name}"), "there is no text", "give --file FILE, or --from FILE.json"));
        }
        let blank: Script = serde_json::from_value(json!({ "name": name, "body": "" })).map_err(io::Error::other)?;
        self.changed(blank)
    }

    /// A script with what is given put in its place.
    pub(crate) fn changed(self, mut script: Script) -> Result<Script, Failure> {
        if let Some(path) = &self.from {
            script = document(&read(path)?, &script.name)?;
        }
        if let Some(path) = &self.file {
            script.body = read(path)?;
        }
        if let Some(interpreter) = &self.interpreter {
            script.interpreter = interpreter.split_whitespace().map(str::to_owned).collect();
        }
        if !self.parameters.is_empty() {
            script.parameters = self.parameters.iter().map(|text| parameter(text)).collect::<Result<_, _>>()?;
        }
        if !self.users.is_empty() {
            script.users = self.users.into_iter().filter(|user| !user.is_empty()).collect();
        }
        let limit = |given: Option<u32>, known: Option<u32>| given.map_or(known, |given| (given > 0).then_some(given));
        script.memory_mb = limit(self.memory, script.memory_mb);
        script.tasks = limit(self.tasks, script.tasks);
        script.user = self.user.map_or(script.user, |user| (!user.is_empty()).then_some(user));
        script.description = self.description.unwrap_or(script.description);
        script.hosts = self.hosts.unwrap_or(script.hosts);
        script.role = self.role.unwrap_or(script.role);
        script.risk = self.risk.unwrap_or(script.risk);
        script.limit_seconds = self.time_limit.unwrap_or(script.limit_seconds);
        script.output_bytes = self.output_limit.unwrap_or(script.output_bytes);
        script.protect_system = self.protect_system.unwrap_or(script.protect_system);
        Ok(script)
    }
}

/// What bounds a script, in words.
pub(super) fn limits(script: &Script) -> String {
    let parts = [
        Some(format!("{} s", script.limit_seconds)),
        Some(format!("{} bytes of output", script.output_bytes)),
        script.memory_mb.map(|memory| format!("{memory} MiB")),
        script.tasks.map(|tasks| format!("{tasks} processes")),
        script.user.as_ref().map(|user| format!("as {user}")),
        script.protect_system.then(|| "the system's files read-only".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn risk(text: &str) -> Result<Risk, String> {
    serde_json::from_value(Value::from(text)).map_err(|_| "it is none of none, low, disruptive, destructive".to_owned())
}

fn read(path: &Path) -> Result<String, Failure> {
    let failed =
        |error: io::Error| usage(&format!("read {}", path.display()), error.to_string(), "give a file of text");
    let mut text = String::new();
    if path == Path::new("-") {
        io::stdin().lock().take(LONGEST).read_to_string(&mut text).map_err(failed)?;
    } else {
        File::open(path).map_err(failed)?.take(LONGEST).read_to_string(&mut text).map_err(failed)?;
    }
    Ok(text)
}

/// A definition as it is shown, which may be of another name.
fn document(text: &str, name: &str) -> Result<Script, Failure> {
    let failed =
        |error: serde_json::Error| usage("read the definition", error.to_string(), "see `script show NAME --json`");
    let mut document: Value = serde_json::from_str(text).map_err(failed)?;
    if let Some(fields) = document.as_object_mut() {
        for shown_only in ["version", "changed_at", "changed_by"] {
            fields.remove(shown_only);
        }
        fields.insert("name".to_owned(), name.into());
    }
    serde_json::from_value(document).map_err(failed)
}

/// `size:integer,min=1,max=9,default=5`.
fn parameter(text: &str) -> Result<Parameter, Failure> {
    let refuse = |cause: String| usage(&format!("read --param {text}"), cause, "give NAME:TYPE[,...]; see --help");
    let (name, rest) = text.split_once(':').ok_or_else(|| refuse("there is no type in it".into()))?;
    // A pattern may hold commas, so it is the rest.
    let (rest, pattern) = match rest.split_once(",pattern=") {
        Some((rest, pattern)) => (rest, Some(pattern)),
        None => (rest, None),
    };
    let mut pieces = rest.split(',');
    let kind = pieces.next().unwrap_or_default();
    let mut fields = json!({ "name": name, "type": kind });
    for piece in pieces {
        let (key, value) = piece.split_once('=').unwrap_or((piece, ""));
        let number = || value.parse::<i64>().map_err(|_| refuse(format!("{key} is no number")));
        match key {
            "required" | "secret" => fields[key] = true.into(),
            "default" | "variable" => fields[key] = value.into(),
            "help" => fields["description"] = value.into(),
            "max" if kind == "text" => fields["max_length"] = number()?.into(),
            "min" | "max" => fields[key] = number()?.into(),
            "values" => fields[key] = value.split('|').collect::<Vec<_>>().into(),
            _ => return Err(refuse(format!("nothing is called {key}"))),
        }
    }
    if let Some(pattern) = pattern {
        fields["pattern"] = pattern.into();
    }
    let parameter: Parameter = serde_json::from_value(fields).map_err(|error| refuse(error.to_string()))?;
    if pattern.is_some() && !matches!(parameter.kind, ParameterKind::Text { .. }) {
        return Err(refuse("only a text has a pattern".into()));
    }
    Ok(parameter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_read_piece_by_piece() {
        let Ok(size) = parameter("size:integer,min=1,max=9,default=5,help=in GB") else { panic!("refused") };
        assert_eq!(size.kind, ParameterKind::Integer { min: Some(1), max: Some(9) });
        assert_eq!((size.default.as_deref(), size.description.as_str()), (Some("5"), "in GB"));
        let Ok(path) = parameter("path:text,required,secret,max=40,pattern=/srv/[a-z]{1,9}") else { panic!("refused") };
        let pattern = Some("/srv/[a-z]{1,9}".to_owned());
        assert_eq!(
            (path.kind, path.required, path.secret),
            (ParameterKind::Text { max_length: 40, pattern }, true, true)
        );
        let Ok(how) = parameter("how:choice,values=fast|slow,variable=HOW") else { panic!("refused") };
        assert_eq!(how.kind, ParameterKind::Choice { values: vec!["fast".into(), "slow".into()] });
        for text in ["x", "x:", "x:number", "x:integer,min=a", "x:choice", "x:text,other", "x:boolean,pattern=a"] {
            assert!(parameter(text).is_err(), "{text}");
        }
    }
}
