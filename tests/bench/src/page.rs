//! What the web page costs with 2,048 hosts and 20,000 guests, in a real browser. Its peer for time is one frame of a screen.

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::{Result, report::Report};

/// One frame of a screen with 60 of them a second.
const FRAME_MS: f64 = 1000.0 / 60.0;

/// Runs the page's own measurement, which prints one line of JSON, on the page as it was built last.
pub(crate) fn measure(report: &mut Report) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let web = root.join("reanimator-server/web");
    if !web.join("dist/index.html").exists() || !web.join("node_modules").exists() {
        report.note("the page was not measured: build it first (make page)");
        return Ok(());
    }
    let chromium = Command::new(root.join("tests/chromium")).output()?;
    if !chromium.status.success() {
        report.note("the page was not measured: no Chromium (make setup)");
        return Ok(());
    }
    let output = Command::new("npm")
        .args(["run", "--silent", "bench:page"])
        .current_dir(&web)
        .env("CHROMIUM", String::from_utf8(chromium.stdout)?.trim())
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("the page's measurement failed: {}", said.trim()).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let line =
        text.lines().rev().find(|line| line.starts_with('{')).ok_or("the page's measurement printed no figures")?;
    let measured: Value = serde_json::from_str(line)?;
    let number = |path: &str| measured.pointer(path).and_then(Value::as_f64).ok_or(format!("no figure at {path}"));
    let mut figure = |name: &str, unit, path: &str, aim: f64, beside: Option<(&str, f64)>| -> Result<()> {
        let name = format!("page_{name}");
        let beside = beside.map(|(peer, value)| (peer, [value]));
        report.add(&name, unit, &[number(path)?], beside.as_ref().map(|(peer, value)| (*peer, &value[..])))?;
        report.aim(&name, aim);
        Ok(())
    };
    let frame = Some(("one frame at 60 Hz", FRAME_MS));
    figure("first_load_kb", "KB", "/first_load_kb", 200.0, None)?;
    figure("ready_ms", "ms", "/ready_ms", 1000.0, None)?;
    figure("palette_key_ms", "ms", "/palette_key_ms", 50.0, None)?;
    figure("year_pan_longest_task_ms", "ms", "/year_pan_longest_task_ms", 50.0, None)?;
    for (table, path) in [("guests", "/guest_table"), ("hosts", "/host_table")] {
        for way in ["scroll", "jump"] {
            let name = |what: &str| format!("{table}_{way}_{what}");
            let at = |what: &str| format!("{path}/{way}/{what}");
            figure(&name("frame_median_ms"), "ms", &at("frame_ms/median"), 8.0, frame)?;
            figure(&name("frame_p95_ms"), "ms", &at("frame_ms/p95"), 8.0, frame)?;
            figure(&name("longest_task_ms"), "ms", &at("longest_task_ms"), 50.0, None)?;
            figure(&name("rows_most"), "", &at("rows/1"), number(&at("rows/0"))?, None)?;
        }
        figure(&format!("{table}_filter_ms"), "ms", &format!("{path}/filter_ms"), 100.0, None)?;
        figure(&format!("{table}_sort_ms"), "ms", &format!("{path}/sort_ms"), 100.0, None)?;
        figure(
            &format!("{table}_new_figures_longest_task_ms"),
            "ms",
            &format!("{path}/polls/longest_task_ms"),
            50.0,
            None,
        )?;
    }
    Ok(())
}
