//! The control address: plain HTTP on loopback that takes orders for faults.
//!
//! `POST /` with JSON such as `{"fault": "node-down", "node": "pve2"}` answers
//! 200 with `{"ok": true}` once it is done, or 400 with `{"error": "..."}`.
//! `{"fault": "requests"}` is none: it tells how many requests each node saw.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::Error;
use crate::faults::{Fault, Order};
use crate::power::Turn;
use crate::tasks::release;
use crate::tools;
use crate::world::{Door, World, now};

/// A handle to make things go wrong, and right again.
#[derive(Clone)]
pub struct Control {
    pub(crate) world: Arc<World>,
}

impl Control {
    /// Carries out an order; when this returns, it holds.
    ///
    /// Answers with what there is to know, such as a new fingerprint.
    ///
    /// # Errors
    /// Where there is no such fault, node or guest.
    pub async fn apply(&self, order: Order) -> Result<Value, Error> {
        if let Some(fault) = Fault::named(&order.fault) {
            let mut faults = self.world.faults.lock().unwrap_or_else(PoisonError::into_inner);
            faults.add(fault, order);
            return Ok(json!({"ok": true}));
        }
        match order.fault.as_str() {
            "node-down" => self.switch(self.door(&order)?, false).await,
            "node-up" => self.switch(self.door(&order)?, true).await,
            "quorum-lost" => self.quorum(&order, true)?,
            "quorum-back" => self.quorum(&order, false)?,
            "locked" => self.lock(&order)?,
            "spoil" => self.spoil(&order)?,
            "task-fails" => {
                let times = order.times.unwrap_or(1);
                let mut cluster = self.world.cluster(self.cluster_index(&order)?);
                cluster.tasks.to_fail.push((order.vmid, times));
            }
            "task-idle" => {
                let times = order.times.unwrap_or(1);
                let mut cluster = self.world.cluster(self.cluster_index(&order)?);
                cluster.tasks.to_idle.push((order.vmid, times));
            }
            "slow-task" => {
                let times = order.times.unwrap_or(1);
                let seconds = order.milliseconds.unwrap_or(10_000) as f64 / 1000.0;
                let mut cluster = self.world.cluster(self.cluster_index(&order)?);
                cluster.tasks.to_slow.push((order.vmid, times, seconds));
            }
            "slow-manager" => {
                let seconds = order.milliseconds.unwrap_or(10_000) as f64 / 1000.0;
                self.world.cluster(self.cluster_index(&order)?).ha.round = Some(seconds);
            }
            "old-backups" => {
                let older = order.milliseconds.unwrap_or(0) / 1000;
                let mut cluster = self.world.cluster(self.cluster_index(&order)?);
                let of_it = |vmid: u32| order.vmid.is_none_or(|wanted| wanted == vmid);
                let backups = cluster.backups.iter_mut().filter(|backup| of_it(backup.vmid));
                backups.for_each(|backup| backup.time = backup.time.saturating_sub_unsigned(older));
            }
            "requests" => return Ok(json!({"ok": true, "requests": self.requests()})),
            "new-certificate" => return self.new_certificate(self.door(&order)?),
            "clear" => self.clear().await,
            _ => return Err(Error::Order(format!("there is no fault '{}'", order.fault))),
        }
        Ok(json!({"ok": true}))
    }

    /// How many requests each node has seen so far: those sent to it, and those that another node sent on to it.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        let seen = |door: &Door| door.taken.load(Ordering::Relaxed) + door.passed_on.load(Ordering::Relaxed);
        self.world.doors.iter().map(|door| (door.name.clone(), seen(door))).collect()
    }

    /// Cuts a node off: its address refuses connections, others answer 595.
    ///
    /// # Errors
    /// Where there is no such node.
    pub async fn node_down(&self, name: &str) -> Result<(), Error> {
        self.apply(Order::new("node-down").node(name)).await.map(drop)
    }

    /// Brings a node back; one that is off is switched on.
    ///
    /// # Errors
    /// Where there is no such node.
    pub async fn node_up(&self, name: &str) -> Result<(), Error> {
        self.apply(Order::new("node-up").node(name)).await.map(drop)
    }

    /// Ends all faults: nodes up, quorum back, locks gone, nothing waiting.
    pub async fn clear(&self) {
        self.world.faults.lock().unwrap_or_else(PoisonError::into_inner).clear();
        for index in 0..self.world.cluster_count() {
            let mut cluster = self.world.cluster(index);
            cluster.quorum_lost = false;
            cluster.tasks.to_fail.clear();
            cluster.tasks.to_idle.clear();
            cluster.tasks.to_slow.clear();
            cluster.ha.round = None;
            for guest in cluster.guests.values_mut() {
                guest.lock = None;
            }
        }
        for door in 0..self.world.doors.len() {
            self.switch(door, true).await;
        }
    }

    fn door(&self, order: &Order) -> Result<usize, Error> {
        let wanted = order.node.as_deref().ok_or_else(|| Error::Order(format!("'{}' needs a node", order.fault)))?;
        self.world
            .doors
            .iter()
            .position(|door| door.name == wanted)
            .ok_or_else(|| Error::Order(format!("there is no node '{wanted}'")))
    }

    fn cluster_index(&self, order: &Order) -> Result<usize, Error> {
        if order.node.is_some() {
            return Ok(self.world.doors[self.door(order)?].cluster);
        }
        let Some(name) = &order.cluster else {
            return Ok(0);
        };
        (0..self.world.cluster_count())
            .find(|index| self.world.cluster(*index).name == *name)
            .ok_or_else(|| Error::Order(format!("there is no cluster '{name}'")))
    }

    async fn switch(&self, index: usize, up: bool) {
        let door = &self.world.doors[index];
        {
            let mut cluster = self.world.cluster(door.cluster);
            let at = now();
            let node = &mut cluster.nodes[door.node];
            if up && node.off {
                cluster.turns.retain(|turn| turn.1 != door.node);
                cluster.take_turn(door.node, Turn::On, at);
            } else if up {
                node.down_since = None;
            } else if node.up() {
                node.down_since = Some(at);
                let broken = cluster.tasks.break_off("unexpected status", at, |task| task.node == door.node);
                for id in broken {
                    release(&mut cluster, &id);
                }
            }
        }
        self.world.attend(door.cluster);
        door.wanted.send_replace(up);
        for open in &door.open {
            let _ = open.subscribe().wait_for(|open| *open == up).await;
        }
    }

    fn quorum(&self, order: &Order, lost: bool) -> Result<(), Error> {
        self.world.cluster(self.cluster_index(order)?).quorum_lost = lost;
        Ok(())
    }

    fn lock(&self, order: &Order) -> Result<(), Error> {
        let mut cluster = self.world.cluster(self.cluster_index(order)?);
        let guest = order.vmid.and_then(|vmid| cluster.guests.get_mut(&vmid));
        let guest = guest.ok_or_else(|| Error::Order("there is no such guest".to_owned()))?;
        guest.lock = Some("backup".to_owned());
        Ok(())
    }

    /// Has the next upgrade of a guest bring a service that fails.
    fn spoil(&self, order: &Order) -> Result<(), Error> {
        let vmid = order.vmid.ok_or_else(|| Error::Order("'spoil' needs a guest".to_owned()))?;
        let machines = self.world.cluster(self.cluster_index(order)?).machines.clone();
        machines.spoil(&vmid.to_string()).map_err(Error::Order)
    }

    fn new_certificate(&self, index: usize) -> Result<Value, Error> {
        let door = &self.world.doors[index];
        let certificate = door.identity.renew(&door.name, &door.ip)?;
        let mut cluster = self.world.cluster(door.cluster);
        let node = &mut cluster.nodes[door.node];
        node.fingerprint.clone_from(&certificate.fingerprint);
        node.certificate_pem = certificate.pem;
        Ok(json!({"ok": true, "fingerprint": certificate.fingerprint}))
    }
}

/// Serves the control address until the simulation stops.
pub(crate) async fn serve(control: Control, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            Ok((stream, _)) = listener.accept() => {
                let control = control.clone();
                let mut stop = stop.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let control = control.clone();
                        async move { Ok::<_, Infallible>(respond(&control, request).await) }
                    });
                    let served = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service);
                    tokio::select! {
                        _ = served => {}
                        _ = stop.changed() => {}
                    }
                });
            }
        }
    }
}

async fn respond(control: &Control, request: hyper::Request<Incoming>) -> Response<Full<Bytes>> {
    let is_post = request.method() == Method::POST;
    let is_tool = request.uri().path() == "/shim";
    let outcome = match Limited::new(request.into_body(), 64 << 10).collect().await {
        Ok(body) if is_post && is_tool => run_tool(control, &body.to_bytes()).await,
        Ok(body) if is_post => match serde_json::from_slice::<Order>(&body.to_bytes()) {
            Ok(order) => control.apply(order).await.map_err(|error| error.to_string()),
            Err(error) => Err(format!("cannot read this order: {error}")),
        },
        Ok(_) => Err("this address takes POST with an order as JSON".to_owned()),
        Err(error) => Err(format!("cannot read the body: {error}")),
    };
    let (status, body) = match outcome {
        Ok(body) => (StatusCode::OK, body),
        Err(text) => (StatusCode::BAD_REQUEST, json!({"error": text})),
    };
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response
}

async fn run_tool(control: &Control, body: &Bytes) -> Result<Value, String> {
    let call = serde_json::from_slice(body).map_err(|error| format!("cannot read this command: {error}"))?;
    serde_json::to_value(tools::run(&control.world, call).await).map_err(|error| error.to_string())
}
