//! Mail servers ask by Postfix's socketmap: what they speak, Debian's own `postmap`, and a Postfix that is to take a message.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Output};

use super::webhook::body;
use super::{Ground, on_both_stores};
use crate::servers::postfix::Postfix;
use crate::servers::redis::RedisServer;
use crate::servers::suppressd::{Launch, PATIENCE, Suppressd};

on_both_stores!(a_suppressed_recipient_is_refused_and_every_other_key_is_not_found, postmap_finds_who_is_suppressed);

/// Where Debian has what only root needs.
const SBIN: &str = "/usr/sbin";

pub(super) struct MailServer(TcpStream);

impl MailServer {
    pub(super) fn at(address: SocketAddr) -> Self {
        let tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(tcp)
    }

    pub(super) fn ask(&mut self, lookup: &str) -> String {
        write!(self.0, "{}:{lookup},", lookup.len()).unwrap();
        let mut byte = [0];
        let mut digits = String::new();
        loop {
            self.0.read_exact(&mut byte).unwrap();
            match byte[0] {
                b':' => break,
                digit => digits.push(digit.into()),
            }
        }
        let mut text = vec![0; digits.parse::<usize>().unwrap() + 1];
        self.0.read_exact(&mut text).unwrap();
        assert_eq!(text.pop(), Some(b','));
        String::from_utf8(text).unwrap()
    }

    /// Whether the other side closes, whatever else it says before. A connection that it had not accepted yet is reset.
    fn closes(mut self) -> bool {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).map_or_else(|error| error.kind() == ErrorKind::ConnectionReset, |_| true)
    }
}

fn with_bounce(launch: Launch) -> Suppressd {
    let server = launch.socketmap().start();
    assert_eq!(server.webhook().post(body("b", "gone@example.com", "bad-mailbox", 1)).counts(), [1, 0, 0, 0]);
    server
}

fn a_suppressed_recipient_is_refused_and_every_other_key_is_not_found(ground: &Ground) {
    let server = with_bounce(ground.launch());
    let mut postfix = MailServer::at(server.socketmap());
    for spelling in ["gone@example.com", "Gone@EXAMPLE.com"] {
        let reply = postfix.ask(&format!("suppressed {spelling}"));
        assert!(reply.starts_with("OK 550 5.7.1 recipient is suppressed: hard bounce"), "{reply}");
    }
    // access(5) looks all of these up.
    for key in ["alice@example.com", "example.com", ".example.com", "com", "gone@", "gone"] {
        assert_eq!(postfix.ask(&format!("suppressed {key}")), "NOTFOUND ", "{key}");
    }
    assert!(postfix.ask("suppressed a..b@-x.example").starts_with("OK 550 5.1.3 "));
    for lookup in ["other gone@example.com", "suppressed", ""] {
        assert!(postfix.ask(lookup).starts_with("PERM "), "{lookup}");
    }
    // Where the next lookup would begin is unknown.
    for bytes in [&b"x"[..], b"9999:", b"5:abcdef"] {
        let mut stranger = MailServer::at(server.socketmap());
        stranger.0.write_all(bytes).unwrap();
        stranger.0.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(stranger.closes(), "{bytes:?}");
    }
    let idle = MailServer::at(server.socketmap());
    assert!(server.terminate().0.success());
    assert!(idle.closes());
}

#[test]
fn what_cannot_be_answered_is_a_temporary_fault() {
    let mut redis = RedisServer::start(&[]);
    let server = with_bounce(Launch::on(&redis.url()));
    let mut postfix = MailServer::at(server.socketmap());
    assert!(postfix.ask("suppressed gone@example.com").starts_with("OK 550"));
    redis.kill();
    let reply = postfix.ask("suppressed gone@example.com");
    assert!(reply.starts_with("TEMP "), "{reply}");
}

#[test]
fn who_is_not_on_this_machine_may_not_ask() {
    let output =
        Launch::in_directory(&tempfile::tempdir().unwrap().path().join("data")).flags(&["--socketmap", "0.0.0.0:0"]).fail();
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8(output.stderr).unwrap().contains("it knows no tokens"));
}

/// Asks as an operator would.
fn postmap(server: &Suppressd, key: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("main.cf"), "compatibility_level = 3.6\n").unwrap();
    let table = format!("socketmap:inet:{}:suppressed", server.socketmap());
    let path = format!("{}:{SBIN}", std::env::var("PATH").unwrap());
    let mut command = Command::new("env");
    command.arg(format!("PATH={path}")).args(["postmap", "-c"]).arg(directory.path()).args(["-q", key]).arg(table);
    command.output().unwrap()
}

fn postmap_finds_who_is_suppressed(ground: &Ground) {
    let server = with_bounce(ground.launch());
    let found = postmap(&server, "gone@example.com");
    let said = String::from_utf8(found.stdout).unwrap();
    assert!(found.status.success() && said.starts_with("550 5.7.1 recipient is suppressed"), "{said}");
    let other = postmap(&server, "alice@example.com");
    let warnings = String::from_utf8(other.stderr).unwrap();
    assert!(other.status.code() == Some(1) && other.stdout.is_empty() && warnings.is_empty(), "{warnings}");
}

#[test]
fn postfix_takes_mail_for_whom_it_may_and_puts_off_what_is_uncertain() {
    let mut redis = RedisServer::start(&[]);
    let server = with_bounce(Launch::on(&redis.url()));
    let postfix = Postfix::start(server.socketmap());
    let mut smtp = postfix.conversation();
    let refused = smtp.say("RCPT TO:<gone@example.com>");
    assert!(refused.starts_with("550 5.7.1") && refused.contains("recipient is suppressed: hard bounce"), "{refused}");
    assert!(smtp.say("RCPT TO:<alice@example.com>").starts_with("250"));
    assert!(smtp.say("DATA").starts_with("354"));
    assert!(smtp.say("Subject: hello\r\n\r\nhello\r\n.").starts_with("250"));
    redis.kill();
    let put_off = postfix.conversation().say("RCPT TO:<gone@example.com>");
    assert!(put_off.starts_with("451"), "{put_off}");
}
