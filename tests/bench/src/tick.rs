//! One observation of a kept connection: what it costs us, and what it costs the host.

use crate::{Result, fan_out::Setting, report::Report, workers};

const SAMPLES: usize = 3;

/// Observes over kept shells, and beside it asks the same by a command of its own each time.
pub(crate) fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let mut answers = Vec::new();
    for _ in 0..SAMPLES {
        let spent = workers::start("tick", &setting.spec_file)?;
        answers.push(serde_json::from_str::<workers::TickAnswer>(&spent.stdout)?);
    }
    let all = |figure: fn(&workers::TickAnswer) -> f64| answers.iter().map(figure).collect::<Vec<_>>();
    let peer = "one SSH exec each, over a kept connection";
    report.add("tick_our_cpu", "ms", &all(|answer| answer.cpu_ms), Some((peer, &all(|answer| answer.exec_cpu_ms))))?;
    report.aim("tick_our_cpu", 0.2);
    let exec = all(|answer| answer.exec_host_ms);
    report.add("tick_host_cpu", "ms", &all(|answer| answer.host_ms), Some((peer, &exec)))?;
    report.aim("tick_host_cpu", 3.0);
    let exec = all(|answer| answer.exec_sshd_ms);
    report.add("tick_sshd_cpu", "ms", &all(|answer| answer.sshd_ms), Some((peer, &exec)))
}
