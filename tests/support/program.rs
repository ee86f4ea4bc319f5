//! The real program: run to its end, or running beside the test.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Long enough for a busy machine; nothing waits for it when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn feedmill(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_feedmill"));
    command.args(arguments).arg("--config").arg(folder.join("feedmill.toml"));
    command.env_remove("FEEDMILL_LOG").env_remove("FEEDMILL_CONFIG").env("RUST_BACKTRACE", "0");
    command
}

/// Runs a command to its end.
pub(crate) async fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = feedmill(folder, arguments);
    feedmill::blocking::run_long(move || command.output().unwrap()).await.unwrap()
}

/// What a command prints as JSON; it must end well.
pub(crate) async fn json(folder: &Path, arguments: &[&str]) -> Value {
    let ended = run(folder, arguments).await;
    assert!(ended.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&ended.stdout).unwrap()
}

/// A running program and what it says on standard error; killed if the test fails.
pub(crate) struct Running {
    pub(crate) child: Child,
    lines: Receiver<String>,
    pub(crate) said: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already where all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines, said: String::new() }
    }

    /// The next line, `None` at the end.
    pub(crate) fn line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => {
                self.said.push_str(&line);
                self.said.push('\n');
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("nothing more is said after: {}", self.said),
        }
    }

    /// The address in the first line that begins with `start`.
    pub(crate) fn address(&mut self, start: &str) -> SocketAddr {
        while let Some(line) = self.line() {
            if let Some(rest) = line.trim().strip_prefix(start) {
                return rest.split('/').next().unwrap().parse().unwrap();
            }
        }
        panic!("it ended: {}", self.said);
    }

    pub(crate) fn serving(&mut self) -> SocketAddr {
        self.address("serving on http://")
    }

    /// Reads on to the end of the program.
    pub(crate) fn end(&mut self) -> ExitStatus {
        while self.line().is_some() {}
        self.child.wait().unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        let told =
            Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    pub(crate) fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        let since = Instant::now();
        let status = self.end();
        assert!(since.elapsed() < Duration::from_secs(5), "{:?}: {}", since.elapsed(), self.said);
        status
    }
}
