use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use redis::ServerErrorKind;

use super::*;
use crate::store::redis::connection::{Connection, Limits, Repeat};
use crate::store::redis::location::{Location, Servers};
use crate::store::redis::replication::{Asks, OfStore, Replication};
use crate::store::redis::script::Scripts;
use crate::store::redis::settings::WaitReplicas;

/// Longest time for anything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Most commands and replies that nobody has looked at yet.
const MOST_AT_ONCE: usize = 16;

/// A server that tells what it was asked, and gives each reply when it is told to.
struct Puppet {
    url: String,
    asked: mpsc::Receiver<String>,
    replies: mpsc::Sender<&'static str>,
}

impl Puppet {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let (asks, asked) = mpsc::channel(MOST_AT_ONCE);
        let (replies, given) = mpsc::channel(MOST_AT_ONCE);
        std::thread::spawn(move || answer(listener.accept().unwrap().0, &asks, given));
        Self { url, asked, replies }
    }

    async fn next(&mut self) -> String {
        tokio::time::timeout(PATIENCE, self.asked.recv()).await.unwrap().unwrap()
    }

    async fn reply(&self, reply: &'static str) {
        self.replies.send(reply).await.unwrap();
    }

    fn batcher(&self, wait: WaitReplicas) -> Batcher {
        let location = Location::read(&self.url, None).unwrap();
        let Servers::One(endpoint) = &location.servers else { panic!("it is one server") };
        let limits = Limits { deadline: PATIENCE, connection_timeout: PATIENCE, repeat: Repeat::IfNeverSent };
        let connection = Connection::lazy(location.access.client(endpoint).unwrap(), limits).unwrap();
        Batcher::new(Line::new(
            connection,
            Arc::new(Replication::new(wait, OfStore::default())),
            Asks::Writes,
            Duration::from_secs(1),
        ))
    }
}

fn answer(stream: TcpStream, asks: &mpsc::Sender<String>, mut given: mpsc::Receiver<&'static str>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(words) = read_command(&mut reader) {
        if words[0] == "CLIENT" {
            stream.write_all(b"+OK\r\n").unwrap();
            continue;
        }
        // A script by its first argument, which tells the tests' calls apart.
        let shown = if words[0].starts_with("EVAL") { format!("{} {}", words[0], words[4]) } else { words.join(" ") };
        let _ = asks.blocking_send(shown);
        let Some(reply) = given.blocking_recv() else { return };
        let _ = stream.write_all(reply.as_bytes());
    }
}

fn read_command(reader: &mut impl BufRead) -> Option<Vec<String>> {
    let mut line = String::new();
    let mut number = |reader: &mut dyn BufRead| {
        line.clear();
        reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
        line.trim_end()[1..].parse::<usize>().ok()
    };
    let count = number(reader)?;
    let mut words = Vec::new();
    for _ in 0..count {
        let mut word = vec![0; number(reader)? + 2];
        reader.read_exact(&mut word).ok()?;
        word.truncate(word.len() - 2);
        words.push(String::from_utf8_lossy(&word).into_owned());
    }
    Some(words)
}

/// A request of calls with these names.
fn part(names: &[&str], parts: usize) -> Part {
    let scripts = Scripts::new();
    let call = |name: &&str| Call::script(&scripts.lift, &["sup:{00}:a:x"]).argument(*name).of_parts(parts);
    let calls: Arc<[Call]> = names.iter().map(call).collect();
    Part { places: (0..calls.len()).collect(), calls, is_asking: false }
}

fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}

fn values(made: Made) -> Vec<i64> {
    made.into_iter().map(|made| if let Ok(Value::Int(value)) = made { value } else { panic!("{made:?}") }).collect()
}

#[test]
fn what_queued_up_goes_out_as_one_group_in_its_order_and_waits_once() {
    block_on(async {
        let mut redis = Puppet::start();
        let batcher = redis.batcher(WaitReplicas::Count(1));
        let first = batcher.room_for(&part(&["a"], 1)).unwrap().enqueue(part(&["a"], 1));
        assert_eq!(redis.next().await, "EVALSHA a");
        let others = [&["b", "c"][..], &["d"]].map(|names| batcher.room_for(&part(names, 1)).unwrap().enqueue(part(names, 1)));
        redis.reply(":1\r\n").await;
        assert_eq!(redis.next().await, "WAIT 1 1000");
        redis.reply(":1\r\n").await;
        assert_eq!(values(first.await.unwrap()), [1]);
        for (asked, reply) in
            [("EVALSHA b", ":2\r\n"), ("EVALSHA c", ":3\r\n"), ("EVALSHA d", ":4\r\n"), ("WAIT 1 1000", ":2\r\n")]
        {
            assert_eq!(redis.next().await, asked);
            redis.reply(reply).await;
        }
        let [second, third] = others;
        assert_eq!((values(second.await.unwrap()), values(third.await.unwrap())), (vec![2, 3], vec![4]));
    });
}

#[test]
fn too_few_replicas_acknowledge_nothing_that_was_written() {
    block_on(async {
        let mut redis = Puppet::start();
        let batcher = redis.batcher(WaitReplicas::Count(2));
        let made = batcher.room_for(&part(&["a", "b"], 1)).unwrap().enqueue(part(&["a", "b"], 1));
        for reply in [":1\r\n", "-MOVED 1 h:2\r\n", ":1\r\n"] {
            redis.next().await;
            redis.reply(reply).await;
        }
        let made = made.await.unwrap();
        let refused = made[0].as_ref().unwrap_err();
        assert!(refused.error.is_transient() && refused.error.to_string().contains("1 of 2 replicas"), "{refused:?}");
        // It is not known to have been refused unexecuted.
        assert!(!refused.was_never_sent);
        // Nothing was written, so it may go elsewhere.
        assert!(matches!(&made[1], Ok(Value::ServerError(error)) if error.kind() == Some(ServerErrorKind::Moved)));
    });
}

#[test]
fn what_redis_has_forgotten_is_sent_again_alone_and_waits_again() {
    block_on(async {
        let mut redis = Puppet::start();
        let batcher = redis.batcher(WaitReplicas::Count(1));
        let made = batcher.room_for(&part(&["a", "b"], 1)).unwrap().enqueue(part(&["a", "b"], 1));
        for (asked, reply) in [
            ("EVALSHA a", ":1\r\n"),
            ("EVALSHA b", "-NOSCRIPT x\r\n"),
            ("WAIT 1 1000", ":1\r\n"),
            ("EVAL b", ":2\r\n"),
            ("WAIT 1 1000", ":0\r\n"),
        ] {
            assert_eq!(redis.next().await, asked);
            redis.reply(reply).await;
        }
        let made = made.await.unwrap();
        assert_eq!(made[0], Ok(Value::Int(1)));
        assert!(made[1].is_err(), "its own WAIT counts");
    });
}

#[test]
fn what_nobody_waits_for_any_more_is_not_sent() {
    block_on(async {
        let mut redis = Puppet::start();
        let batcher = redis.batcher(WaitReplicas::Count(1));
        let first = batcher.room_for(&part(&["a"], 1)).unwrap().enqueue(part(&["a"], 1));
        redis.next().await;
        drop(batcher.room_for(&part(&["b"], 1)).unwrap().enqueue(part(&["b"], 1)));
        let third = batcher.room_for(&part(&["c"], 1)).unwrap().enqueue(part(&["c"], 1));
        for _ in 0..3 {
            redis.reply(":1\r\n").await;
            assert_ne!(redis.next().await, "EVALSHA b");
        }
        redis.reply(":1\r\n").await;
        assert!(first.await.is_ok() && third.await.is_ok());
    });
}

#[test]
fn more_than_there_is_room_for_is_refused() {
    block_on(async {
        let redis = Puppet::start();
        let batcher = redis.batcher(WaitReplicas::Count(0));
        // Larger than all the room: let in, alone.
        let large = batcher.room_for(&part(&["a"], MAX_PARTS + 1)).unwrap();
        assert_eq!(batcher.room_for(&part(&["b"], 1)).err(), Some(Error::StoreOverloaded));
        drop(large);
        let small = part(&["b"], 1);
        let requests: Vec<_> = (0..MAX_QUEUED_REQUESTS).map(|_| batcher.room_for(&small).unwrap()).collect();
        assert_eq!(batcher.room_for(&part(&["b"], 1)).err(), Some(Error::StoreOverloaded));
        drop(requests);
        assert!(batcher.room_for(&part(&["b"], MAX_PARTS)).is_ok());
    });
}
