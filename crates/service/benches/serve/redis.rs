//! A Redis of the benchmark's own.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A `redis-server` of the benchmark's own.
pub(crate) struct Redis {
    directory: tempfile::TempDir,
    child: Child,
}

impl Redis {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("s");
        let child = Command::new("redis-server")
            .current_dir(directory.path())
            .args(["--port", "0", "--save", "", "--unixsocket"])
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("the benchmark needs redis-server");
        let started = Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "redis-server did not start");
            std::thread::sleep(Duration::from_millis(2));
        }
        Self { directory, child }
    }

    pub(crate) fn url(&self) -> PathBuf {
        format!("redis+unix://{}/s", self.directory.path().display()).into()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
