//! The inside of a container, through the shell of its node.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    Result,
    transport::{Become, Command, Output, Process, Transport, quote},
};

/// A container of Proxmox as a way to run commands: each goes to its node, and there through `pct exec`. What a command
/// starts and leaves running stays in the container when the connection ends.
///
/// ```no_run
/// # async fn example(node: &reanimator_core::host::linux::LinuxMachine) -> reanimator_core::Result<()> {
/// use reanimator_core::{host::linux::{Contained, LinuxMachine}, transport::{Become, Command}};
/// use std::sync::Arc;
/// let inside = LinuxMachine::new(Arc::new(Contained::new(node.transport().clone(), node.root(), 101)), Become::No);
/// inside.transport().run(Command::shell("cat /etc/os-release")).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Contained {
    node: Arc<dyn Transport>,
    become_root: Become,
    vmid: u32,
}

impl Contained {
    /// The container of a number on a node, where we become root by `become_root`.
    pub fn new(node: Arc<dyn Transport>, become_root: Become, vmid: u32) -> Self {
        Self { node, become_root, vmid }
    }

    /// We are root inside as soon as we are on the node.
    fn wrapped(&self, command: Command) -> Command {
        let text = format!("pct exec {} -- sh -c {}", self.vmid, quote::word(&command.text));
        Command { text, become_root: self.become_root.clone(), ..command }
    }
}

#[async_trait]
impl Transport for Contained {
    fn label(&self) -> String {
        format!("container {} through {}", self.vmid, self.node.label())
    }

    async fn run(&self, command: Command) -> Result<Output> {
        self.node.run(self.wrapped(command)).await
    }

    async fn start(&self, command: Command) -> Result<Process> {
        self.node.start(self.wrapped(command)).await
    }

    /// The connection is the node's, and stays.
    async fn close(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Local;

    #[test]
    fn words_arrive_in_the_container_as_they_were() {
        let inside = Contained::new(Arc::new(Local::new()), Become::Sudo, 101);
        let command = inside.wrapped(Command::shell("echo 'it is' \"$HOME\"").stdin("x"));
        assert_eq!(command.text, r#"pct exec 101 -- sh -c 'echo '\''it is'\'' "$HOME"'"#);
        assert_eq!(command.stdin, b"x");
        assert!(matches!(command.become_root, Become::Sudo));
        assert_eq!(inside.label(), "container 101 through local");
    }
}
