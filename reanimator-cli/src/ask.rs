//! Asking the person at the terminal, and taking secrets from where they are safe.
//!
//! Secrets never stand in argv: a secret option names where the secret *is* (`--password`, `--password=file:PATH`),
//! not what it is. Where stdin is no terminal nothing is asked; the error says which option to give instead.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use reanimator_core::Fingerprint;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    failure::{Failure, usage},
    screen::{Paint, harmless},
};

/// Secrets longer than this are refused; a private key has some 3 KiB.
const LONGEST_SECRET: u64 = 64 * 1024;

/// Whether a person can be asked.
pub(crate) fn somebody_is_there() -> bool {
    io::stdin().is_terminal()
}

/// Reads the secret that `option` (such as `--password`) gets from `source`: `ask`, `stdin`, `env:NAME`, `file:PATH`.
pub(crate) fn secret(option: &str, source: &str, prompt: &str) -> Result<SecretString, Failure> {
    let attempt = format!("read the secret of {option}");
    let failed = |cause: String, next: &str| usage(&attempt, cause, next);
    let text = match source.split_once(':') {
        None if source == "ask" => return ask_secret(option, prompt),
        None if source == "stdin" => first_line(io::stdin().lock())
            .map_err(|error| failed(error.to_string(), "send it as the first line of stdin"))?,
        Some(("env", name)) => std::env::var(name)
            .map_err(|_| failed(format!("the environment has no {name}"), "set it, or name another source"))?,
        Some(("file", path)) => {
            let file = std::fs::File::open(path)
                .map_err(|error| failed(format!("{path}: {error}"), "name a file that can be read"))?;
            first_line(io::BufReader::new(file))
                .map_err(|error| failed(format!("{path}: {error}"), "check the file"))?
        }
        // What was given may be the secret itself: it is not repeated.
        _ => {
            return Err(failed(
                "a secret is not given on the command line, only where it is".into(),
                &format!(
                    "use {option} (asks), {option}=stdin, {option}=env:NAME or {option}=file:PATH; \
                     and take the secret out of your shell's history"
                ),
            ));
        }
    };
    if text.is_empty() {
        return Err(failed("it is empty".into(), "check where it comes from"));
    }
    Ok(SecretString::from(text))
}

/// The same of a secret with more than one line; asked for at a terminal it is one line.
pub(crate) fn lines(option: &str, source: &str, prompt: &str) -> Result<SecretString, Failure> {
    let attempt = format!("read the secret of {option}");
    let read = |input: &mut dyn Read| {
        let mut text = String::new();
        input.take(LONGEST_SECRET).read_to_string(&mut text).map(|_| SecretString::from(text))
    };
    let failed = |error: io::Error| usage(&attempt, error.to_string(), "name a source that can be read");
    match source.split_once(':') {
        None if source == "stdin" => read(&mut io::stdin().lock()).map_err(failed),
        Some(("file", path)) => std::fs::File::open(path).and_then(|mut file| read(&mut file)).map_err(failed),
        _ => secret(option, source, prompt),
    }
}

/// The same, where the option was given.
pub(crate) fn optional_secret(
    option: &str,
    source: Option<&str>,
    prompt: &str,
) -> Result<Option<SecretString>, Failure> {
    source.map(|source| secret(option, source, prompt)).transpose()
}

/// A new password: asked twice on a terminal, else from `source`.
pub(crate) fn new_password(source: Option<&str>, prompt: &str) -> Result<SecretString, Failure> {
    let source = source.unwrap_or("ask");
    let password = secret("--password", source, prompt)?;
    if source == "ask" {
        let again = secret("--password", "ask", "The same again: ")?;
        if again.expose_secret() != password.expose_secret() {
            return Err(usage("set the password", "the two are not the same", "try again"));
        }
    }
    Ok(password)
}

fn ask_secret(option: &str, prompt: &str) -> Result<SecretString, Failure> {
    if !somebody_is_there() {
        return Err(usage(
            &format!("ask for the secret of {option}"),
            "stdin is no terminal",
            format!("give {option}=stdin, {option}=env:NAME or {option}=file:PATH"),
        ));
    }
    Ok(SecretString::from(rpassword::prompt_password(harmless(prompt))?))
}

fn first_line(input: impl BufRead) -> io::Result<String> {
    let mut text = String::new();
    input.take(LONGEST_SECRET).read_line(&mut text)?;
    while text.ends_with(['\n', '\r']) {
        text.pop();
    }
    Ok(text)
}

/// Shows an identity that is not known yet and asks whether it is the right one; only `yes` in full is a yes.
pub(crate) fn confirm_identity(what: &str, shown: &Fingerprint) -> Result<bool, Failure> {
    let mut stderr = io::stderr().lock();
    let paint = Paint::for_stderr();
    writeln!(stderr, "{} shows a {} that is not known yet:", harmless(what), harmless(&shown.key_type))?;
    writeln!(stderr, "  {}", paint.strong(&harmless(&shown.sha256)))?;
    writeln!(stderr, "Compare it with what its console says.")?;
    write!(stderr, "Is this the right one? Type yes in full: ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().take(100).read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

/// Asks whether something that cannot be taken back is to be done; only `yes` in full is a yes.
pub(crate) fn confirm(what: &str) -> Result<bool, Failure> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{}\nType yes in full to go on: ", harmless(what))?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().take(100).read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

/// Says what may be lost, and asks for the name of what is meant.
pub(crate) fn name(what: &str) -> Result<String, Failure> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{}\nType its name to go on: ", harmless(what))?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().take(1000).read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_argv_is_refused_and_not_repeated() {
        for given in ["hunter2", "hunter2:x", "ask:hunter2"] {
            let Err(Failure::Core(error)) = secret("--password", given, "") else { panic!("taken: {given}") };
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn a_file_gives_its_first_line() {
        let file = tempfile::NamedTempFile::new().unwrap_or_else(|error| panic!("{error}"));
        std::fs::write(file.path(), "s3cret\r\nmore").unwrap_or_else(|error| panic!("{error}"));
        let source = format!("file:{}", file.path().display());
        let Ok(found) = secret("--password", &source, "") else { panic!("not read") };
        assert_eq!(found.expose_secret(), "s3cret");
    }
}
