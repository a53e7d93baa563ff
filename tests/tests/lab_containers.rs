//! Containers and projects of Compose on a real Docker in a lab host, whose images come from a registry there.
//!
//! Each image appends to `/data/starts` when it starts, and what it is stands in `/version`: so it is counted on the far side
//! how often something happened.

use std::process::Stdio;
use std::time::{Duration, Instant};

use reanimator_tests::{
    lab,
    program::{Home, built},
};
use serde_json::Value;

/// Starts Docker and an open registry; gives `push VERSION [CHANGE...]`, which publishes an image.
const PREPARE: &str = r#"
set -e
sed -i '/^auth:/,/^health:/{/^health:/!d}' /etc/docker/registry/config.yml
systemctl start docker docker-registry
mkdir -p /srv/image/bin /srv/two /srv/one
cp /bin/busybox /srv/image/bin/
for name in sh sleep cat true wc; do ln -sf busybox /srv/image/bin/$name; done
cat >/srv/image/run <<'EOF'
#!/bin/sh
echo started >>/data/starts
trap 'exit 0' TERM
sleep 1000 &
wait
EOF
chmod +x /srv/image/run
cat >/usr/local/bin/push <<'EOF'
#!/bin/sh
set -e
echo "$1" >/srv/image/version
shift
tar -C /srv/image -c . | docker import -c 'ENV PATH=/bin' -c 'VOLUME /data' -c 'CMD ["/run"]' "$@" - localhost:5000/app:1
docker push -q localhost:5000/app:1
EOF
chmod +x /usr/local/bin/push
until curl -sf http://localhost:5000/v2/ >/dev/null; do sleep 0.2; done
"#;

/// What undoes it all.
const CLEAR: &str = "docker ps -aq | xargs -r docker rm -f -v; docker network prune -f; docker volume ls -q | xargs -r docker volume rm; \
                     docker images -q | xargs -r docker rmi -f; rm -rf /srv/*; systemctl stop docker docker.socket docker-registry containerd";

const HEALTHY: &str = "-c 'HEALTHCHECK --interval=1s CMD true'";

/// A lab host with Docker, in a fleet of its own.
struct Dock {
    home: Home,
    host: String,
}

impl Dock {
    fn open() -> Self {
        let lab = lab::hosts().pop().expect("the lab has a host");
        let home = Home::new();
        lab.add_to(&home);
        let dock = Self { home, host: lab.name };
        dock.there(PREPARE);
        dock
    }

    /// Runs something on the host, as root; gives what it said.
    fn there(&self, command: &str) -> String {
        let told = self.home.json(["exec", command, "--on", &self.host, "--sudo", "--time-limit", "120s"]);
        told["answers"][0]["stdout"].as_str().unwrap_or_default().trim().to_owned()
    }

    fn words<'a>(&'a self, what: &'a str) -> Vec<&'a str> {
        let mut words = vec!["host"];
        words.extend(what.split(' '));
        words.extend(["--on", &self.host, "--json"]);
        words
    }

    /// Does something, well or not; gives the operation, or what would be done.
    fn operate(&self, what: &str) -> Value {
        let program = built("reanimator", "reanimator-cli");
        let done = self.home.command(&program, self.words(what)).output().expect("the program runs");
        let said = String::from_utf8_lossy(&done.stdout);
        let complained = String::from_utf8_lossy(&done.stderr);
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{what}: {error}: {said}{complained}"))
    }

    /// Does something; gives the state and the outcome of its step.
    fn step(&self, what: &str) -> (String, String) {
        let step = self.operate(what)["steps"][0].clone();
        let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
        (text("state"), text("outcome"))
    }

    /// Why something would be refused.
    fn refusal(&self, what: &str) -> String {
        self.operate(&format!("{what} --dry-run"))["steps"][0]["refused"].to_string()
    }

    /// Begins something, and kills the program as soon as a command succeeds on the host.
    fn kill_when(&self, what: &str, there: &str) {
        let program = built("reanimator", "reanimator-cli");
        let mut command = self.home.command(&program, self.words(what));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program runs");
        self.wait_for(there);
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }

    /// Waits on the host until a command succeeds there.
    fn wait_for(&self, there: &str) {
        let loop_there =
            format!("n=0; until {there}; do n=$((n+1)); [ $n -lt 300 ] || exit 1; sleep 0.1; done; echo seen");
        assert_eq!(self.there(&loop_there), "seen", "{there}");
    }

    /// Goes on with what was left, to its end; gives the last operation.
    fn resume(&self) -> Value {
        self.home.json(["op", "resume"]);
        let id = self.last();
        self.home.json(["op", "show", &id])
    }

    fn last(&self) -> String {
        self.home.json(["op", "list"])["items"][0]["id"].as_str().expect("there is an operation").to_owned()
    }

    fn version(&self, container: &str) -> String {
        self.there(&format!("docker exec {container} cat /version"))
    }
}

impl Drop for Dock {
    fn drop(&mut self) {
        // A second panic while a failing test unwinds would hide what failed.
        if !std::thread::panicking() {
            self.there(CLEAR);
        }
    }
}

#[test]
#[ignore = "needs the lab"]
fn lab_containers_are_updated_and_put_back_where_the_new_image_fails() {
    let dock = Dock::open();
    dock.there(&format!("push v1 {HEALTHY}"));
    dock.there(
        "docker network create --subnet 10.99.8.0/24 side; docker run -d --name web -e TOKEN=hush-hush --label mine=1 \
         -p 127.0.0.1:8081:80 --restart on-failure:3 -v named:/named --network side --ip 10.99.8.7 localhost:5000/app:1",
    );
    let update = "container update web";
    let is = |state: &str, outcome: &str, (seen, said): (String, String)| {
        assert!(seen == state && said.contains(outcome), "not {state} ({outcome}) but {seen}: {said}");
    };

    is("already", "running already", dock.step("container start web"));
    is("done", "it is running", dock.step("container restart web"));
    assert_eq!(dock.there("docker exec web wc -l /data/starts"), "2 /data/starts");
    is("done", "it is stopped", dock.step("container stop web"));
    is("already", "stopped already", dock.step("container stop web"));
    is("done", "it is running", dock.step("container start docker:web"));
    assert!(dock.refusal("container stop nothing").contains("container nothing is not on"));
    assert!(dock.refusal("container stop podman:web").contains("has no Podman"));
    is("already", "newest already", dock.step(update));

    dock.there(&format!("push v2 {HEALTHY}"));
    let dry = dock.operate("container update web --dry-run").to_string();
    assert!(
        dry.contains("docker pull localhost:5000/app:1") && dry.contains("docker rm web-before-reanimator-"),
        "{dry}"
    );
    assert!(!dry.contains("hush-hush"), "{dry}");
    is("done", "it is running from image", dock.step(update));
    let updated = dock.last();
    assert_eq!(dock.version("web"), "v2");
    let kept = "docker inspect --format '{{json .Config.Env}} {{.Config.Labels.mine}} {{.HostConfig.RestartPolicy.MaximumRetryCount}} \
                {{.NetworkSettings.Networks.side.IPAddress}} {{json .HostConfig.PortBindings}}' web";
    let kept = dock.there(kept);
    assert!(kept.contains("hush-hush") && kept.contains(" 1 3 10.99.8.7 ") && kept.contains("8081"), "{kept}");
    assert_eq!(dock.there("docker exec web wc -l /data/starts"), "4 /data/starts", "its data is kept");
    assert_eq!(dock.there("docker ps -a --format '{{.Names}}'"), "web", "nothing is left of the old one");
    assert!(!dock.there("grep -rs hush-hush /var/lib/reanimator-jobs; true").contains("hush-hush"));

    dock.home.json(["op", "undo", &updated]);
    assert_eq!(dock.version("web"), "v1");
    let id = dock.there("docker inspect --format '{{.Id}}' web");

    dock.there("push v3 -c 'CMD [\"/bin/cat\",\"/nowhere\"]'");
    let (state, said) = dock.step(update);
    assert!(state == "failed" && said.contains("can't open '/nowhere'") && said.contains("as it was before"), "{said}");
    assert_eq!((dock.version("web"), dock.there("docker inspect --format '{{.Id}}' web")), ("v1".into(), id.clone()));
    let policy = "docker inspect --format '{{.HostConfig.RestartPolicy.Name}} {{.State.Running}}' web";
    assert_eq!(
        (dock.there(policy), dock.there("docker ps -a --format '{{.Names}}'")),
        ("on-failure true".into(), "web".into())
    );

    // The program is killed when the old one is out of the way: the rest goes on without it, and once.
    dock.there("push v4 -c 'HEALTHCHECK --interval=3s CMD true'");
    let since = dock.there("date +%s");
    dock.kill_when(update, "docker ps -a --format '{{.Names}}' | grep -q web-before-");
    let resumed = dock.resume();
    assert_eq!((resumed["state"].as_str(), dock.version("web")), (Some("done"), "v4".into()), "{resumed:#}");
    let made = format!(
        "docker events --since {since} --until $(date +%s) --filter event=create --filter type=container | wc -l"
    );
    assert_eq!(dock.there(&made), "1", "one container was made");

    // The job itself is killed, as by a host that fails: what was there before is put back.
    dock.there("push v5 -c 'HEALTHCHECK --interval=60s CMD true'");
    let mut command = dock.home.command(&built("reanimator", "reanimator-cli"), dock.words(update));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program runs");
    dock.wait_for("docker exec web cat /version 2>/dev/null | grep -q v5");
    dock.there("systemctl kill --signal=KILL 'reanimator-*.service'");
    let done = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(!done.status.success() && said.contains("as it was before"), "{said}");
    assert_eq!(
        (dock.version("web"), dock.there("docker ps -a --format '{{.Names}}'")),
        ("v4".into(), "web".into()),
        "{said}"
    );

    // A restart is not done twice either.
    let since = dock.there("date +%s");
    dock.there("docker rm -f web; docker run -d --name web --stop-timeout 6 localhost:5000/app:1 /bin/sleep 1000");
    dock.kill_when(
        "container restart web",
        "systemctl list-units --no-legend --state=running 'reanimator-*' | grep -q .",
    );
    assert_eq!(dock.resume()["state"], "done");
    let restarts = format!("docker events --since {since} --until $(date +%s) --filter event=restart | wc -l");
    assert_eq!(dock.there(&restarts), "1");
}

#[test]
#[ignore = "needs the lab"]
fn lab_projects_of_both_composes_are_controlled_and_updated() {
    let dock = Dock::open();
    // Compose 1 comes meanwhile.
    dock.there(
        "systemctl reset-failed compose-1 2>/dev/null; systemd-run --unit=compose-1 --remain-after-exit --property=Type=oneshot --no-block sh -c \
         'command -v docker-compose || { apt-get update; DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends docker-compose; }'",
    );
    dock.there(&format!("push v1 {HEALTHY}"));
    let file = "version: \"3\"\\nservices:\\n  web:\\n    image: localhost:5000/app:1\\n  once:\\n    image: localhost:5000/app:1\\n    command: /bin/true\\n";
    dock.there(&format!("printf '{file}' | tee /srv/one/docker-compose.yml >/srv/two/compose.yaml"));
    project(&dock, "two", "docker compose", "two-web-1", "v2");
    dock.wait_for("[ \"$(systemctl show --value --property=ActiveState compose-1)\" != activating ]");
    project(&dock, "one", "docker-compose", "one_web_1", "v3");
    let started = Instant::now();
    dock.there("systemctl stop compose-1; DEBIAN_FRONTEND=noninteractive apt-get purge -y --autoremove docker-compose >/dev/null");
    assert!(started.elapsed() < Duration::from_secs(60));
}

/// All that is done with a project, of one Compose.
fn project(dock: &Dock, name: &str, tool: &str, web: &str, version: &str) {
    dock.there(&format!("cd /srv/{name} && {tool} up -d"));
    let is = |state: &str, outcome: &str, verb: &str| {
        let (seen, said) = dock.step(&format!("compose {verb} {name}"));
        assert!(seen == state && said.contains(outcome), "{tool} {verb}: not {state} ({outcome}) but {seen}: {said}");
    };
    let starts = || dock.there(&format!("docker exec {web} wc -l /data/starts"));
    assert_eq!(starts(), "1 /data/starts");
    is("done", "1 of 2 containers run", "restart");
    assert_eq!(starts(), "2 /data/starts");
    is("done", "0 of 2 containers run", "stop");
    let is_first = version == "v2";
    if is_first {
        is("already", "stopped already", "stop");
    }
    is("done", "1 of 2 containers run", "start");

    dock.there(&format!(
        "push {version} {HEALTHY}; docker tag localhost:5000/app:1 kept:{version}; docker rmi localhost:5000/app:1"
    ));
    assert!(dock.refusal(&format!("container update {web}")).contains(&format!("host compose update {name}")));
    let dry = dock.operate(&format!("compose update {name} --dry-run"))["steps"][0]["calls"].to_string();
    assert!(dry.contains(&format!("{tool} --project-name {name}")) && dry.contains("up --detach"), "{dry}");
    is("done", "2 of a new image", "update");
    assert_eq!(dock.version(web), version);
    if is_first {
        is("done", "all of the same images", "update");
    }

    dock.there(&format!("cd /srv/{name} && mkdir away && mv *.y*ml away/"));
    assert!(dock.refusal(&format!("compose stop {name}")).contains("is not there any more"));
    dock.there(&format!("cd /srv/{name} && mv away/* . && {tool} down -v"));
    assert!(dock.refusal(&format!("compose stop {name}")).contains("has no containers"));
}
