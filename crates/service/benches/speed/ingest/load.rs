//! Webhooks by the thinnest client there is, over connections that are kept.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::events::{self, Mix};
use crate::rounds::{Cost, cost_of};
use crate::server::Server;

/// What a round brings. Each round brings other events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) mix: Mix,
    pub(crate) in_flight: usize,
    pub(crate) events_per_request: usize,
    pub(crate) requests_per_connection: usize,
}

/// A request as it goes over the wire.
struct Webhook {
    bytes: Vec<u8>,
    events: usize,
}

/// The webhooks of a round, by connection.
pub(crate) struct Round {
    shares: Vec<Vec<Webhook>>,
}

impl Load {
    /// Bounces, one in each webhook, 64 in flight.
    pub(crate) fn one_event_a_request(requests_per_connection: usize) -> Self {
        Self { mix: Mix::Bounces, in_flight: 64, events_per_request: 1, requests_per_connection }
    }

    /// A thousand events in each webhook. With two in flight one is read while the other is written.
    pub(crate) fn thousand_events_a_request(mix: Mix, requests_per_connection: usize) -> Self {
        Self { mix, in_flight: 2, events_per_request: 1000, requests_per_connection }
    }

    /// Events of a round.
    pub(crate) fn events(&self) -> usize {
        self.in_flight * self.requests_per_connection * self.events_per_request
    }

    /// The bodies of a round, as they are sent.
    pub(crate) fn bodies(&self, round: usize) -> impl Iterator<Item = String> {
        let Self { mix, events_per_request, .. } = *self;
        let first = round * self.events();
        (first..first + self.events())
            .step_by(events_per_request)
            .map(move |first| events::lines(mix, first..first + events_per_request))
    }

    /// A round, ready to be sent.
    pub(crate) fn round(&self, round: usize) -> Round {
        let mut webhooks = self.bodies(round).map(|body| Webhook::of(&body, self.events_per_request));
        let share = |_| webhooks.by_ref().take(self.requests_per_connection).collect();
        Round { shares: (0..self.in_flight).map(share).collect() }
    }

    /// Sends a round to a server that answers as `suppressd` does, and tells what each event has cost it.
    pub(crate) fn cost(&self, server: &Server, round: usize) -> Cost {
        self.cost_to(|| server.cpu(), server, round)
    }

    /// The same, by the clock of whoever it is about.
    pub(crate) fn cost_to(&self, cpu: impl Fn() -> Duration, server: &Server, round: usize) -> Cost {
        let round = self.round(round);
        cost_of(cpu, self.events(), || round.send(server.http()))
    }
}

impl Webhook {
    fn of(body: &str, events: usize) -> Self {
        let head = format!("POST /webhooks/inboxroad HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
        Self { bytes: [head.as_bytes(), body.as_bytes()].concat(), events }
    }
}

impl Round {
    /// Sends each share over a connection of its own, and waits for the last answer.
    pub(crate) fn send(self, server: SocketAddr) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut callers = tokio::task::JoinSet::new();
            for share in self.shares {
                callers.spawn(share_of_one(server, share));
            }
            while let Some(ended) = callers.join_next().await {
                ended.unwrap();
            }
        });
    }
}

async fn share_of_one(server: SocketAddr, share: Vec<Webhook>) {
    let mut connection = TcpStream::connect(server).await.unwrap();
    connection.set_nodelay(true).unwrap();
    let mut answer = [0; 1024];
    for webhook in share {
        connection.write_all(&webhook.bytes).await.unwrap();
        let mut read = 0;
        while !answer[..read].ends_with(b"}") {
            let bytes = connection.read(&mut answer[read..]).await.unwrap();
            assert!(bytes > 0, "the server closed a connection");
            read += bytes;
        }
        let text = std::str::from_utf8(&answer[..read]).unwrap();
        assert!(text.contains(&format!("\"recorded\":{},", webhook.events)), "{text}");
    }
}
