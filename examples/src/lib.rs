//! Small programs that embed Reanimator's core; see `examples/`:
//!
//! - `observe_this_machine`: everything that can be seen of the machine it runs on
//! - `run_everywhere`: one command on many hosts, equal answers shown once
//! - `proxmox_guests`: the guests of a Proxmox cluster
//! - `embed_live_loop`: a live fleet inside a program of your own
