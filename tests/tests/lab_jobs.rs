//! Work on real hosts that outlives our connection, and prepared scripts there, with limits that systemd keeps.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::{
    process::Command as Program,
    sync::Arc,
    time::{Duration, Instant},
};

use reanimator_core::{
    collect::linux::job::{JobEnd, JobEndReason, JobSpec, JobState, Look, Started},
    host::{
        LinuxHost as _,
        linux::{Jobs, LinuxMachine},
    },
    transport::{
        Become, Command,
        ssh::{Hop, HostKeyPolicy, Ssh, SshCredentials, SshTarget},
    },
};
use reanimator_tests::{
    lab::{self, LabHost},
    program::{Home, built},
};
use serde_json::Value;

/// Longer than any job here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A host's machine over a connection of its own, as another process would have it.
fn machine(host: &LabHost, user: &str, become_root: Become) -> LinuxMachine {
    let mut hop = Hop::new(&host.address, host.port, user);
    hop.host_keys = HostKeyPolicy::pinned(&host.host_key);
    let key = SshCredentials::key(std::fs::read_to_string(&host.key).unwrap());
    LinuxMachine::new(Arc::new(Ssh::new(SshTarget::new(hop), key)), become_root)
}

fn jobs(host: &LabHost) -> Jobs {
    machine(host, "lab", Become::Sudo).jobs()
}

/// A name that no job of an earlier run has.
fn name(what: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{what}-{}", now.as_millis())
}

async fn until(jobs: &Jobs, name: &str, well: impl Fn(&Look) -> bool) -> Look {
    let begun = Instant::now();
    loop {
        match jobs.look(name, Some(0)).await {
            Ok(look) if well(&look) => return look,
            look => assert!(begun.elapsed() < PATIENCE, "{name} stays: {look:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn end(jobs: &Jobs, name: &str) -> (JobEnd, String) {
    let look = until(jobs, name, |look| look.state != JobState::Running).await;
    let JobState::Ended(end) = look.state else { panic!("{name}: {look:?}") };
    (end, String::from_utf8_lossy(&look.output).into_owned())
}

async fn run(host: &LabHost, text: &str) -> String {
    let output = machine(host, "lab", Become::Sudo).run(Command::shell(text).become_root(Become::Sudo)).await.unwrap();
    output.stdout.text().trim().to_owned()
}

#[tokio::test]
#[ignore = "needs the lab"]
async fn lab_a_job_runs_in_a_unit_of_its_own_and_nothing_of_it_stays_but_how_it_ended() {
    let host = &lab::hosts()[0];
    let name = name("unit");
    // It goes on until it is told to end, however long looking takes.
    let go = format!("/run/{name}.go");
    let body = format!(
        "cat /proc/self/cgroup; echo \"$SECRET\"; id -un; pwd; until [ -e {go} ]; do sleep 0.1; done; rm {go}; exit 3"
    );
    let spec = JobSpec::new(&name, &body).variable("SECRET", "it's $(id)");
    assert_eq!(jobs(host).start(&spec).await.unwrap(), Started::Now);
    assert_eq!(jobs(host).start(&spec).await.unwrap(), Started::Before);
    assert_eq!(run(host, &format!("systemctl is-active {name}")).await, "active");
    assert_eq!(run(host, "ps -ef | grep \"[i]t's\"; systemctl show '*' | grep \"[i]t's\"").await, "");
    run(host, &format!("touch {go}")).await;
    let (ended, said) = end(&jobs(host), &name).await;
    assert_eq!((ended.status, ended.why), (Some(3), JobEndReason::Itself));
    assert!(said.contains(&format!("/{name}.service\n")), "{said}");
    assert!(said.ends_with("it's $(id)\nroot\n/\n"), "{said}");
    jobs(host).forget(&name).await.unwrap();
    assert_eq!(run(host, &format!("systemctl list-units --all --plain --no-legend '{name}*'")).await, "");
    assert_eq!(
        run(host, &format!("ls /var/lib/reanimator-jobs/{name}")).await,
        "boot\nclaimed\nexit\nforgotten\ngroup"
    );
    assert_eq!(jobs(host).look(&name, None).await.unwrap().state, JobState::Ended(ended));
}

#[tokio::test]
#[ignore = "needs the lab"]
async fn lab_a_job_beyond_its_memory_its_processes_or_its_time_is_ended() {
    let host = &lab::hosts()[0];
    let greedy = name("greedy");
    let spec = JobSpec {
        memory_limit: Some(32 << 20),
        ..JobSpec::new(&greedy, "echo begun; head -c 300000000 /dev/zero | tail -c 200000000 | wc -c; echo after")
    };
    jobs(host).start(&spec).await.unwrap();
    let (ended, said) = end(&jobs(host), &greedy).await;
    assert_eq!(ended.why, JobEndReason::Memory, "{ended:?} {said}");
    jobs(host).forget(&greedy).await.unwrap();
    let look = jobs(host).look(&greedy, None).await.unwrap();
    assert!(matches!(look.state, JobState::Ended(JobEnd { why: JobEndReason::Memory, .. })), "{look:?}");
    assert_eq!(run(host, &format!("systemctl list-units --all --plain --no-legend '{greedy}*'")).await, "");

    let many = name("many");
    let body = "i=0; while [ $i -lt 60 ]; do sleep 20 & i=$((i+1)); done; echo all; kill $(jobs -p)";
    jobs(host).start(&JobSpec { tasks_limit: Some(10), ..JobSpec::new(&many, body) }).await.unwrap();
    let (ended, said) = end(&jobs(host), &many).await;
    assert!(!ended.is_well() && !said.contains("all\n"), "{ended:?} {said}");

    let slow = name("slow");
    // One that leaves its group is ended with the unit.
    let body = "setsid sleep 4711 & sleep 4711";
    jobs(host).start(&JobSpec::new(&slow, body).time_limit(Duration::from_secs(1))).await.unwrap();
    assert_eq!(end(&jobs(host), &slow).await.0.why, JobEndReason::Time);
    let begun = Instant::now();
    while run(host, "pgrep -c -f '[s]leep 4711'").await != "0" {
        assert!(begun.elapsed() < PATIENCE, "what it started goes on");
    }
}

#[tokio::test]
#[ignore = "needs the lab"]
async fn lab_a_job_runs_as_another_user_and_away_from_the_systems_files() {
    let host = &lab::hosts()[0];
    let name = name("other");
    let body = "id -un; id -Gn; echo \"$HOME $USER $GIVEN\"; echo out >/dev/stdout; touch /etc/x || touch /usr/x; cat /proc/$$/comm";
    let spec = JobSpec { user: Some("heavy".into()), protect_system: true, ..JobSpec::new(&name, body) };
    jobs(host).start(&spec.variable("GIVEN", "'x'")).await.unwrap();
    let (ended, said) = end(&jobs(host), &name).await;
    assert!(ended.is_well(), "{said}");
    assert!(said.starts_with("heavy\nheavy\n/home/heavy heavy 'x'\nout\n"), "{said}");
    assert_eq!(said.matches("touch: cannot touch").count(), 2, "{said}");

    let guarded = self::name("guarded");
    let spec = JobSpec { protect_system: true, ..JobSpec::new(&guarded, "touch /usr/x") };
    jobs(host).start(&spec).await.unwrap();
    let (ended, said) = end(&jobs(host), &guarded).await;
    assert!(!ended.is_well() && said.contains("Read-only file system"), "{said}");
}

#[tokio::test]
#[ignore = "needs the lab"]
async fn lab_an_account_without_root_has_jobs_of_its_own_and_no_limits_that_take_systemd() {
    let host = &lab::hosts()[0];
    let (name, jobs) = (name("plain"), machine(host, "ash", Become::No).jobs());
    jobs.start(&JobSpec::new(&name, "id -un; exit 2")).await.unwrap();
    let (ended, said) = end(&jobs, &name).await;
    assert_eq!((ended.status, said.as_str()), (Some(2), "ash\n"));
    assert!(jobs.unlimited().await.unwrap().is_some());
    assert_eq!(self::jobs(host).unlimited().await.unwrap(), None);
    let limited = JobSpec { tasks_limit: Some(3), ..JobSpec::new(self::name("limited"), "true") };
    let error = jobs.start(&limited).await.unwrap_err();
    assert!(reanimator_core::report(&error).contains("systemd"), "{error}");
    assert_eq!(jobs.look(&limited.name, None).await.unwrap().state, JobState::Absent);
}

#[tokio::test]
#[ignore = "needs the lab"]
async fn lab_a_job_whose_connection_breaks_goes_on_and_one_whose_host_is_started_anew_is_unknown() {
    let hosts = lab::hosts();
    let host = hosts.last().unwrap();
    let (name, jobs) = (name("outlives"), jobs(host));
    jobs.start(&JobSpec::new(&name, "echo begun; sleep 3; echo on; sleep 600")).await.unwrap();
    let pulled = host.unplug();
    drop(pulled);
    let again = self::jobs(host);
    let look = until(&again, &name, |look| look.output.ends_with(b"on\n")).await;
    assert_eq!((look.state, look.output.as_slice()), (JobState::Running, b"begun\non\n".as_slice()));

    let restarted = Program::new("docker").args(["restart", "--time", "20", &host.name]).output().unwrap();
    assert!(restarted.status.success(), "{restarted:?}");
    let again = self::jobs(host);
    let look = until(&again, &name, |look| look.state != JobState::Running).await;
    assert_eq!(look.state, JobState::Unknown { rebooted: true });
    assert_eq!(again.start(&JobSpec::new(&name, "true")).await.unwrap(), Started::Before, "nor is it begun again");
}

/// Defines a script of that text, runs it on a host, and gives the operation.
fn script(home: &Home, host: &LabHost, name: &str, body: &str, definition: &[&str], run: &[&str]) -> Value {
    let file = home.path().join(name);
    std::fs::write(&file, body).unwrap();
    let file = file.display().to_string();
    home.json([&["script", "create", name, "--file", &file][..], definition].concat());
    let words = [&["script", "run", name, "--on", &host.name, "--json"][..], run].concat();
    let done = home.command(&built("reanimator", "reanimator-cli"), words).output().unwrap();
    serde_json::from_slice(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:?}"))
}

fn outcome(operation: &Value) -> &str {
    operation["steps"][0]["outcome"].as_str().unwrap_or_default()
}

#[test]
#[ignore = "needs the lab"]
fn lab_a_prepared_script_is_given_what_is_hostile_and_kept_within_its_limits() {
    let hosts = lab::hosts();
    let (home, host) = (Home::new(), &hosts[0]);
    host.add_to(&home);
    let hostile = "'\"; $(touch /tmp/pwned) `touch /tmp/pwned`\n--help \\ \u{1F480} !!";
    let body = "printf '%s' \"$REANIMATOR_PARAM_TEXT\" | od -An -tx1 | tr -d ' \\n'; echo; id -un; ls /tmp/pwned";
    let given = format!("text={hostile}");
    let definition = ["--param", "text:text", "--user", "lab", "--protect-system"];
    let failed = script(&home, host, "echo", body, &definition, &["--set", &given]);
    let hex: String = hostile.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert!(outcome(&failed).contains(&hex) && outcome(&failed).contains("status 2"), "{failed}");
    let lines = home.json(["op", "show", failed["id"].as_str().unwrap()]);
    assert_eq!(lines["state"], "failed");

    let endless = script(&home, host, "endless", "yes", &["--output-limit", "4096"], &[]);
    assert!(outcome(&endless).contains("it wrote without end"), "{endless}");
    let slow = script(&home, host, "slow", "sleep 600", &["--time-limit", "1"], &[]);
    assert!(outcome(&slow).contains("it took longer than it may"), "{slow}");
    let greedy = script(
        &home,
        host,
        "greedy",
        "head -c 300000000 /dev/zero | tail -c 200000000 | wc -c",
        &["--memory", "32"],
        &[],
    );
    assert!(outcome(&greedy).contains("more memory than it may"), "{greedy}");
    let well = script(&home, host, "well", "echo all is well", &["--memory", "32", "--tasks", "8"], &[]);
    assert_eq!((&well["state"], outcome(&well)), (&"done".into(), "it ended with status 0: all is well"));
}
