//! `script`: prepared scripts, defined by whoever may read the data directory, and run on hosts as operations.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use reanimator_core::{
    access::Principal,
    model::{Action, HostView, ParameterKind, Risk, Script, StoredScript},
};
use serde_json::json;

use super::{
    operate,
    script_definition::{self, Definition},
};
use crate::{
    ask,
    context::Context,
    failure::{Done, Failure, usage},
    screen::{Cell, Column, Table, harmless_bytes, words},
};

/// What can be done with prepared scripts.
#[derive(Debug, Subcommand)]
pub(crate) enum ScriptCommand {
    /// List the scripts
    List,
    /// Show a script: what it may be given, where it may run, its text; with --json as `create --from` takes it
    Show(NameArgs),
    /// Define a script
    Create(DefineArgs),
    /// Change a script: what is not given stays as it is
    Edit(DefineArgs),
    /// Remove a script; what runs goes on
    Delete(NameArgs),
    /// Run a script on hosts
    Run(RunArgs),
}

/// Which script.
#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// The script's name
    name: String,
}

/// What `script create` and `script edit` take.
#[derive(Debug, Args)]
pub(crate) struct DefineArgs {
    /// What it is called
    name: String,
    #[command(flatten)]
    definition: Definition,
}

/// What `script run` takes.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The script's name
    name: String,
    /// Where: names, globs, group:G, tag:T, kind:K, state:S, cluster:C; a&b for both, !x to take away
    #[arg(long, value_name = "SELECTOR")]
    on: String,
    /// What it is given: PARAMETER=VALUE (may be repeated)
    #[arg(long = "set", value_name = "PARAMETER=VALUE")]
    values: Vec<String>,
    /// The script's name once more, for one that is destructive; without it you are asked
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
    #[command(flatten)]
    how: operate::How,
}

/// Carries out the command.
pub(crate) async fn run(command: ScriptCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        ScriptCommand::List => list(context).await,
        ScriptCommand::Show(args) => show(&context.fleet().await?.script(&args.name).await?, context),
        ScriptCommand::Create(args) => create(args, context).await,
        ScriptCommand::Edit(args) => edit(args, context).await,
        ScriptCommand::Delete(args) => delete(&args.name, context).await,
        ScriptCommand::Run(args) => start(args, context).await,
    }
}

async fn create(args: DefineArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let script = args.definition.new_script(&args.name)?;
    let who = Principal::local().who();
    let create = fleet.create_script(script, &who);
    let stored = context.audited(&fleet, "script create", &args.name, create).await?;
    told(&stored, "is defined", context)
}

async fn edit(args: DefineArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let script = args.definition.changed(fleet.script(&args.name).await?.script)?;
    let who = Principal::local().who();
    let change = fleet.change_script(script, &who);
    let stored = context.audited(&fleet, "script change", &args.name, change).await?;
    told(&stored, "is changed", context)
}

async fn delete(name: &str, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    context.audited(&fleet, "script remove", name, fleet.remove_script(name)).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "removed": name }))?;
    } else {
        context.screen.line(&format!("{} is removed.", context.screen.text(name)))?;
    }
    Ok(Done::Whole)
}

async fn start(args: RunArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let stored = fleet.script(&args.name).await?;
    let parameters = values(&args.values)?;
    let hosts = fleet.select(&args.on.parse()?).await?;
    if hosts.is_empty() {
        return Err(usage(&format!("run {}", args.name), "no host is meant", "see `reanimator host list`"));
    }
    if stored.script.risk == Risk::Destructive && !args.how.dry_run {
        confirm(&args, hosts.len())?;
    }
    let action = |host: HostView| {
        let (script, parameters) = (args.name.clone(), parameters.clone());
        Action::Script { host: host.id, script, parameters, version: Some(stored.version.clone()) }.into()
    };
    operate::run(hosts.into_iter().map(action).collect(), &args.how, context).await
}

/// `size=5`, of each parameter once.
fn values(given: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let mut values = BTreeMap::new();
    for text in given {
        let read = text.split_once('=').filter(|(name, _)| !name.is_empty());
        let refuse = |cause: &str| usage(&format!("read --set {text}"), cause, "give PARAMETER=VALUE, each once");
        let (name, value) = read.ok_or_else(|| refuse("there is no = in it"))?;
        if values.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(refuse("it is given twice"));
        }
    }
    Ok(values)
}

/// What is destructive is done when its name was typed.
fn confirm(args: &RunArgs, hosts: usize) -> Result<(), Failure> {
    let typed = match &args.confirm {
        Some(typed) => typed.clone(),
        None if ask::somebody_is_there() => {
            let what = format!("What {} does on {} may be gone for good.", args.name, words::count(hosts, "host"));
            ask::name(&what)?
        }
        None => String::new(),
    };
    if typed == args.name {
        return Ok(());
    }
    let next = format!("give --confirm {}, or see what it would do with --dry-run", args.name);
    Err(usage(&format!("run {}", args.name), "it is destructive, and its name was not typed", next))
}

fn told(stored: &StoredScript, what: &str, context: &Context) -> Result<Done, Failure> {
    if context.screen.is_json() {
        context.screen.document(stored)?;
    } else {
        let name = context.screen.text(&stored.script.name);
        context.screen.line(&format!("{name} {what}, as version {}.", stored.version))?;
    }
    Ok(Done::Whole)
}

async fn list(context: &Context) -> Result<Done, Failure> {
    let scripts = context.fleet().await?.scripts().await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": scripts }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("NAME"),
        Column::words("RISK"),
        Column::words("HOSTS"),
        Column::words("WHO").keep(1),
        Column::words("WHAT").keep(1),
    ]);
    for StoredScript { script, .. } in &scripts {
        table.row([
            script.name.as_str().into(),
            risk(script.risk),
            script.hosts.as_str().into(),
            who(script).into(),
            script.description.lines().next().unwrap_or_default().into(),
        ]);
    }
    context.screen.table(&table, "No scripts. Next: reanimator script create NAME --file FILE")?;
    Ok(Done::Whole)
}

fn risk(risk: Risk) -> Cell {
    match risk {
        Risk::None | Risk::Low => Cell::from(risk.as_str()),
        Risk::Disruptive => Cell::from(risk.as_str()).warn(),
        Risk::Destructive => Cell::from(risk.as_str()).bad(),
    }
}

fn who(script: &Script) -> String {
    if script.users.is_empty() { script.role.to_string() } else { words::list(&script.users) }
}

fn show(stored: &StoredScript, context: &Context) -> Result<Done, Failure> {
    if context.screen.is_json() {
        context.screen.document(stored)?;
        return Ok(Done::Whole);
    }
    let StoredScript { script, version, changed_at, changed_by } = stored;
    let mut lines = vec![
        format!("{}, version {version}, by {changed_by} {}", script.name, words::moment(*changed_at)),
        format!("runs on {}, by {}, with {}", script.hosts, who(script), script.interpreter.join(" ")),
        format!("risk {}; {}", script.risk.as_str(), script_definition::limits(script)),
    ];
    lines.extend((!script.description.is_empty()).then(|| script.description.clone()));
    for line in lines.iter().flat_map(|text| text.lines()) {
        context.screen.line(&context.screen.text(line))?;
    }
    let mut table = Table::new([
        Column::words("PARAMETER"),
        Column::words("MAY BE"),
        Column::words("DEFAULT"),
        Column::words("VARIABLE").keep(1),
        Column::words("WHAT").keep(1),
    ]);
    for parameter in &script.parameters {
        table.row([
            parameter.name.as_str().into(),
            format!("{}{}", if parameter.secret { "secret " } else { "" }, may_be(&parameter.kind)).into(),
            if parameter.required {
                Cell::from("must be given").warn()
            } else {
                Cell::known(parameter.default.as_deref())
            },
            parameter.variable().into(),
            parameter.description.as_str().into(),
        ]);
    }
    context.screen.table(&table, "It is given nothing.")?;
    context.screen.line(harmless_bytes(script.body.as_bytes()).trim_end())?;
    Ok(Done::Whole)
}

fn may_be(kind: &ParameterKind) -> String {
    match kind {
        ParameterKind::Text { max_length, pattern: None } => format!("text of up to {max_length}"),
        ParameterKind::Text { max_length, pattern: Some(pattern) } => {
            format!("text of up to {max_length} as {pattern}")
        }
        ParameterKind::Integer { min, max } => {
            let bound =
                |word: &str, bound: &Option<i64>| bound.map(|bound| format!(" {word} {bound}")).unwrap_or_default();
            format!("number{}{}", bound("from", min), bound("to", max))
        }
        ParameterKind::Choice { values } => values.join(" | "),
        ParameterKind::Boolean => "true | false".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_may_hold_anything_behind_the_first_equals_sign() {
        let Ok(read) = values(&["a=b=c".into(), "note=$(x)\n'".into(), "empty=".into()]) else { panic!("refused") };
        assert_eq!((read["a"].as_str(), read["note"].as_str(), read["empty"].as_str()), ("b=c", "$(x)\n'", ""));
        assert!(values(&["a".into()]).is_err() && values(&["=x".into()]).is_err());
        assert!(values(&["a=1".into(), "a=2".into()]).is_err());
    }
}
