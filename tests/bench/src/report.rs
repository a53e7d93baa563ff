//! Figures as a table for people and as JSON for programs.

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::Result;

/// One figure. Lower is better for all of them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// What it stands beside; `None` where there is nothing like it.
    pub(crate) peer: Option<String>,
    pub(crate) peer_value: Option<f64>,
    /// Ours through theirs.
    pub(crate) ratio: Option<f64>,
    pub(crate) samples: usize,
}

/// What was measured so far.
#[derive(Debug)]
pub(crate) struct Report {
    figures: BTreeMap<String, Figure>,
    aims: BTreeMap<String, f64>,
    notes: Vec<String>,
    began: Instant,
    directory: PathBuf,
}

impl Report {
    pub(crate) fn start() -> Result<Self> {
        let directory = target().join("bench");
        std::fs::create_dir_all(&directory)?;
        let report = Self {
            figures: BTreeMap::new(),
            aims: BTreeMap::new(),
            notes: Vec::new(),
            began: Instant::now(),
            directory,
        };
        let cpus = std::thread::available_parallelism()?;
        let load = std::fs::read_to_string("/proc/loadavg")?;
        say(&format!("{cpus} CPUs, load {}", load.trim()))?;
        if cfg!(debug_assertions) {
            say("built without optimisation: the figures say nothing; run `make bench`")?;
        }
        Ok(report)
    }

    /// Notes a figure, the median of ours; with the median of a peer's beside it where there is one.
    pub(crate) fn add(
        &mut self,
        name: &str,
        unit: &'static str,
        ours: &[f64],
        peer: Option<(&str, &[f64])>,
    ) -> Result<()> {
        let Some(value) = median(ours) else { return Ok(()) };
        let peer_value = peer.and_then(|(_, values)| median(values));
        let figure = Figure {
            value,
            unit,
            peer: peer_value.and(peer).map(|(name, _)| name.to_owned()),
            peer_value,
            ratio: peer_value.filter(|peer| *peer > 0.0).map(|peer| value / peer),
            samples: ours.len(),
        };
        say(&row(name, &figure, None))?;
        self.figures.insert(name.to_owned(), figure);
        Ok(())
    }

    /// The value that is aimed for.
    pub(crate) fn aim(&mut self, name: &str, at_most: f64) {
        self.aims.insert(name.to_owned(), at_most);
    }

    /// Something that a reader of the figures should know.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(crate) fn finish(self) -> Result<()> {
        let file = self.directory.join("figures.json");
        std::fs::write(&file, serde_json::to_string_pretty(&self.figures)?)?;
        say(&format!(
            "\n{:<44} {:>10} {:<4} {:>10} {:>6} {:>4} {:>8}  beside",
            "figure", "ours", "", "theirs", "ratio", "n", "aim"
        ))?;
        for (name, figure) in &self.figures {
            say(&row(name, figure, self.aims.get(name).copied()))?;
        }
        for note in &self.notes {
            say(&format!("note: {note}"))?;
        }
        let load = std::fs::read_to_string("/proc/loadavg")?;
        say(&format!("{:.0} s, load now {}\n{}", self.began.elapsed().as_secs_f64(), load.trim(), file.display()))
    }
}

fn row(name: &str, figure: &Figure, aim: Option<f64>) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    let aim = aim.map_or_else(String::new, |aim| format!("{} {aim}", if figure.value <= aim { "<=" } else { "above" }));
    format!(
        "{name:<44} {:>10.2} {:<4} {:>10} {:>6} {:>4} {aim:>8}  {}",
        figure.value,
        figure.unit,
        number(figure.peer_value),
        number(figure.ratio),
        figure.samples,
        figure.peer.as_deref().unwrap_or("-"),
    )
}

/// The value in the middle; with an even count the mean of the two.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Where figures and the peers' Python are kept.
pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

pub(crate) fn say(line: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")?;
    Ok(stdout.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 9.0]), Some(3.0));
    }
}
