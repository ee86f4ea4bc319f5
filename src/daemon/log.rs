//! The log: lines on standard error, or entries of the journal under systemd. The filter can be changed
//! while the mill runs.

use std::fmt::{Debug, Write as _};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::sync::OnceLock;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

/// The socket of the journal.
const JOURNAL: &str = "/run/systemd/journal/socket";
/// Entries are limited to this many bytes: larger ones would have to be sent as a file.
const MAX_ENTRY: usize = 48 << 10;
/// Default filters, by how often `-v` was given.
const DEFAULTS: [&str; 3] = ["warn,feedmill=info", "info,feedmill=debug", "debug,feedmill=trace"];

static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Starts logging; `FEEDMILL_LOG` wins over `verbose`.
pub fn start(verbose: u8, colour: bool) {
    let default = DEFAULTS.get(usize::from(verbose)).unwrap_or(&DEFAULTS[2]);
    let filter = EnvFilter::try_from_env("FEEDMILL_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let (filter, handle) = reload::Layer::new(filter);
    let journal = if is_journal() { Journal::open() } else { None };
    let lines = journal.is_none().then(|| {
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colour).with_target(false)
    });
    // A second start in one process (tests) is not an error.
    if tracing_subscriber::registry().with(filter).with(lines).with(journal).try_init().is_ok() {
        let _ = FILTER.set(handle);
    }
}

/// Replaces the filter, with one such as `debug` or `warn,feedmill::fetch=trace`; `None` restores the
/// default.
///
/// # Errors
/// Says what is wrong with the filter.
pub fn set(filter: Option<&str>) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter.unwrap_or(DEFAULTS[0])).map_err(|error: ParseError| {
        format!("{error}; write a level (`info`, `debug`), or pairs like `warn,feedmill::fetch=trace`")
    })?;
    let handle = FILTER.get().ok_or("logging was not started")?;
    handle.reload(filter).map_err(|error| error.to_string())
}

/// Returns whether standard error is the journal's (systemd.exec(5), `$JOURNAL_STREAM`).
fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let Some((device, inode)) = stream.split_once(':') else { return false };
    std::fs::metadata("/proc/self/fd/2")
        .is_ok_and(|own| Ok(own.dev()) == device.parse() && Ok(own.ino()) == inode.parse())
}

/// Sends entries to the journal by its own protocol, so that fields can be queried (`journalctl
/// FEEDMILL_SOURCE_ID=xihai`). The message repeats the fields, since it is usually shown without them.
struct Journal(UnixDatagram);

impl Journal {
    fn open() -> Option<Self> {
        let socket = UnixDatagram::unbound().ok()?;
        socket.connect(JOURNAL).ok()?;
        Some(Self(socket))
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut told = EventFields::default();
        event.record(&mut told);
        // An entry that the journal does not accept is lost: there is nowhere else to report it.
        let _ = self.0.send(&entry(*event.metadata().level(), event.metadata().target(), &told));
    }
}

/// The message and the fields of an event.
#[derive(Debug, Default)]
struct EventFields {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Visit for EventFields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            let _ = write!(self.message, "{value:?}");
        } else {
            self.fields.push((field.name(), format!("{value:?}")));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else {
            self.fields.push((field.name(), value.to_owned()));
        }
    }
}

/// Returns one entry: `KEY=value` lines, or with a length where the value has several lines.
fn entry(level: Level, target: &str, told: &EventFields) -> Vec<u8> {
    let priority = match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        Level::DEBUG | Level::TRACE => "7",
    };
    let mut message = told.message.clone();
    for (name, value) in &told.fields {
        let _ = write!(message, " {name}={value}");
    }
    let mut bytes = Vec::new();
    put(&mut bytes, "MESSAGE", &message);
    put(&mut bytes, "PRIORITY", priority);
    put(&mut bytes, "SYSLOG_IDENTIFIER", "feedmill");
    put(&mut bytes, "FEEDMILL_ROOM", target);
    for (name, value) in &told.fields {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        let name: String = name.chars().map(plain).take(50).collect();
        if bytes.len() + value.len() < MAX_ENTRY {
            put(&mut bytes, &format!("FEEDMILL_{name}"), value);
        }
    }
    bytes
}

fn put(bytes: &mut Vec<u8>, key: &str, value: &str) {
    let mut end = value.len().min(MAX_ENTRY / 2);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    let value = value.get(..end).unwrap_or_default();
    bytes.extend(key.as_bytes());
    if value.contains('\n') {
        bytes.push(b'\n');
        bytes.extend((value.len() as u64).to_le_bytes());
    } else {
        bytes.push(b'=');
    }
    bytes.extend(value.as_bytes());
    bytes.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_alone_and_by_field() {
        let told = EventFields {
            message: "poll failed".to_owned(),
            fields: vec![("source.id", "xihai".to_owned()), ("why", "two\nlines".to_owned())],
        };
        let bytes = entry(Level::WARN, "feedmill::daemon", &told);
        let text = String::from_utf8_lossy(&bytes);
        let length = |n: u64| String::from_utf8(n.to_le_bytes().to_vec()).unwrap();
        let message = "poll failed source.id=xihai why=two\nlines";
        assert!(
            text.starts_with(&format!("MESSAGE\n{}{message}\n", length(message.len() as u64))),
            "{text:?}"
        );
        assert!(text.contains("\nPRIORITY=4\n") && text.contains("\nFEEDMILL_SOURCE_ID=xihai\n"), "{text:?}");
        assert!(text.ends_with(&format!("FEEDMILL_WHY\n{}two\nlines\n", length(9))), "{text:?}");
        let long = EventFields { message: "长".repeat(MAX_ENTRY), fields: Vec::new() };
        assert!(entry(Level::INFO, "x", &long).len() < MAX_ENTRY);
    }
}
