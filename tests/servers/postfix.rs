//! A Postfix of a test's own, in directories of its own. It takes mail for `example.com` and throws it away.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::redis::free_port;
use super::redis_cluster::await_condition;
use super::suppressd::PATIENCE;
use crate::documents::recipe_file;

/// Where Debian has what only root needs.
const PROGRAM: &str = "/usr/sbin/postfix";

/// The socketmap in the recipe.
const WRITTEN_SOCKETMAP: &str = "127.0.0.1:50052";

/// The services that are needed to take a message.
const SERVICES: &str = "cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
discard unix - - n - - discard
error unix - - n - - error
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
";

/// A mail server that is stopped when it goes.
pub(crate) struct Postfix {
    directory: TempDir,
    port: u16,
}

impl Postfix {
    /// Asks a socketmap before it takes a recipient, by the lines of the recipe.
    pub(crate) fn start(socketmap: SocketAddr) -> Self {
        let written = recipe_file("postfix", "main.cf");
        assert!(written.contains(WRITTEN_SOCKETMAP));
        let restrictions = written.replace(WRITTEN_SOCKETMAP, &socketmap.to_string());
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().display();
        let port = free_port();
        let settings = format!(
            "compatibility_level = 3.6\nqueue_directory = {at}/queue\ndata_directory = {at}/data\nmaillog_file = {at}/log\n\
             maillog_file_prefixes = {at}\ninet_interfaces = 127.0.0.1\nmyhostname = mail.example\nmydestination =\nalias_maps =\n\
             relay_domains = example.com\nrelay_transport = discard\ndefault_transport = discard\n{restrictions}"
        );
        for part in ["conf", "queue", "data"] {
            fs::create_dir(directory.path().join(part)).unwrap();
        }
        fs::write(directory.path().join("conf/main.cf"), settings).unwrap();
        fs::write(directory.path().join("conf/master.cf"), format!("127.0.0.1:{port} inet n - n - - smtpd\n{SERVICES}")).unwrap();
        // It runs as a user of its own.
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        as_root(Path::new("chown"), &["postfix", &format!("{at}/data")]);
        let postfix = Self { directory, port };
        postfix.tell("start");
        await_condition("postfix does not listen", || TcpStream::connect(("127.0.0.1", port)).ok());
        postfix
    }

    fn tell(&self, what: &str) {
        as_root(Path::new(PROGRAM), &["-c", self.directory.path().join("conf").to_str().unwrap(), what]);
    }

    /// A conversation up to the sender.
    pub(crate) fn conversation(&self) -> Smtp {
        let tcp = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut smtp = Smtp(BufReader::new(tcp));
        assert!(smtp.reply().starts_with("220"));
        for command in ["HELO client.example", "MAIL FROM:<sender@other.example>"] {
            assert!(smtp.say(command).starts_with("250"), "{command}");
        }
        smtp
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        self.tell("stop");
    }
}

/// A client of a mail server.
pub(crate) struct Smtp(BufReader<TcpStream>);

impl Smtp {
    /// Says a line, and gives the reply.
    pub(crate) fn say(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.reply()
    }

    fn reply(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }
}

fn as_root(program: &Path, arguments: &[&str]) {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut command = if is_root { Command::new(program) } else { Command::new("sudo") };
    if !is_root {
        command.arg(program);
    }
    // What it leaves running must not hold a pipe of the test's.
    let status = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = status.unwrap_or_else(|error| panic!("the tests need {}: {error}", program.display()));
    assert!(status.success(), "{} {arguments:?}: {status}", program.display());
}
