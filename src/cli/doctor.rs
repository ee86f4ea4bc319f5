//! `doctor`: looks at what a mill needs around it, and says how to mend what is not so.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use serde_json::json;

use super::show;
use super::words::say;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Files, Severity};
use crate::control::{self, Asked, Query};
use crate::fetch::Fetcher;
use crate::model::chain;
use crate::store::export;

/// When this was written, in Unix seconds: a clock before it is wrong.
const WRITTEN: i64 = 1_763_000_000;
/// Hosts of sources whose names are looked up.
const HOSTS: usize = 5;
/// Below this an export or a migration may not fit, in bytes.
const LOW_DISK: u64 = 256 << 20;
/// Below this files of outputs may not fit.
const LOW_INODES: u64 = 10_000;

/// How a look ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Good,
    Note,
    Bad,
}

/// One look.
#[derive(Debug, Clone, Serialize)]
struct Look {
    verdict: Verdict,
    what: String,
    found: String,
    way_out: String,
}

#[derive(Debug, Default)]
struct Looks(Vec<Look>);

impl Looks {
    fn add(&mut self, verdict: Verdict, what: &str, found: impl Into<String>, way_out: impl Into<String>) {
        self.0.push(Look { verdict, what: what.to_owned(), found: found.into(), way_out: way_out.into() });
    }

    fn good(&mut self, what: &str, found: impl Into<String>) {
        self.add(Verdict::Good, what, found, "");
    }
}

/// Looks at everything; exit code 1 where something is bad.
///
/// # Errors
/// When standard output is closed.
pub(super) async fn doctor(path: &Path, as_json: bool) -> Result<ExitCode> {
    let mut looks = Looks::default();
    let config = of_config(&mut looks, path);
    of_clock(&mut looks);
    of_roots(&mut looks);
    if let Some(config) = &config {
        of_folders(&mut looks, config);
        let runs = of_daemon(&mut looks, config).await;
        of_port(&mut looks, config, runs);
        of_names(&mut looks, config).await;
        of_exports(&mut looks, config);
    }
    of_unit(&mut looks);
    let bad = looks.0.iter().any(|look| look.verdict == Verdict::Bad);
    if as_json {
        show::json(&json!(looks.0))?;
    } else {
        show::text(&show::plain(&told(&looks.0)))?;
    }
    Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn told(looks: &[Look]) -> String {
    let mut lines = Vec::new();
    for look in looks {
        let word = match look.verdict {
            Verdict::Good => say("good", "正常"),
            Verdict::Note => say("note", "注意"),
            Verdict::Bad => say("BAD ", "错误"),
        };
        lines.push(format!("{word}  {}: {}", look.what, look.found));
        if !look.way_out.is_empty() {
            lines.push(format!("      → {}", look.way_out));
        }
    }
    lines.join("\n") + "\n"
}

fn of_config(looks: &mut Looks, path: &Path) -> Option<Config> {
    let what = say("config", "配置");
    let loaded = Files::read(path).load();
    let count = loaded.faults.count();
    let errors = loaded.faults.iter().filter(|fault| fault.severity == Severity::Error).count();
    match &loaded.config {
        Some(config) if loaded.faults.is_empty() => {
            looks.good(&what, format!("{}, {} sources", path.display(), config.sources.len()));
        }
        Some(_) => looks.add(Verdict::Note, &what, format!("{}: {count}", path.display()), "feedmill check"),
        None => {
            let found = format!("{}: {count}", path.display());
            let way_out = if errors > 0 { "`feedmill check` shows each with its line" } else { "" };
            looks.add(Verdict::Bad, &what, found, way_out);
        }
    }
    loaded.config
}

fn of_clock(looks: &mut Looks) {
    let now = SystemClock.now();
    let what = say("time", "时间");
    if now.unix() < WRITTEN {
        looks.add(
            Verdict::Bad,
            &what,
            format!("{} is before this program was made", now.rfc3339()),
            "set the clock, and let it be kept: `timedatectl set-ntp true`",
        );
    } else {
        looks.good(&what, now.rfc3339());
    }
}

fn of_roots(looks: &mut Looks) {
    let what = say("TLS roots", "TLS 根证书");
    let known =
        ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
    let set = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let found = set.into_iter().chain(known.map(PathBuf::from)).find(|path| path.is_file());
    match (found, Fetcher::new(crate::fetch::FetchOptions::default())) {
        (Some(path), Ok(_)) => looks.good(&what, path.display().to_string()),
        (_, Err(error)) => looks.add(Verdict::Bad, &what, chain(&error), "install `ca-certificates`"),
        (None, Ok(_)) => looks.add(
            Verdict::Bad,
            &what,
            "none are found, so no newspaper can be asked over HTTPS",
            "install `ca-certificates`",
        ),
    }
}

fn of_folders(looks: &mut Looks, config: &Config) {
    let places = [
        (say("store", "存储"), &config.store.path, true),
        (say("outputs", "输出"), &config.publish.output, false),
        (say("exports", "导出"), &config.exports.folder, true),
    ];
    for (what, folder, secret) in places {
        // The nearest folder that is there decides whether it can be made.
        let there = folder.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
        match tempfile::NamedTempFile::new_in(there) {
            Ok(_) => looks.good(&what, folder.display().to_string()),
            Err(error) => {
                let way_out = match std::fs::metadata(there) {
                    Ok(meta) => format!(
                        "it belongs to user {} with mode {:o}; run this as that user, or `chown` it",
                        meta.uid(),
                        meta.permissions().mode() & 0o7777
                    ),
                    Err(_) => "make it, for the user that feedmill runs as".to_owned(),
                };
                looks.add(
                    Verdict::Bad,
                    &what,
                    format!("cannot write in {}: {error}", there.display()),
                    way_out,
                );
            }
        }
        if secret && std::fs::metadata(folder).is_ok_and(|meta| meta.permissions().mode() & 0o007 != 0) {
            let way_out = format!("chmod o= {}", folder.display());
            looks.add(
                Verdict::Note,
                &what,
                "others on this machine can read what was withdrawn there",
                way_out,
            );
        }
        if let Ok(disk) = rustix::fs::statvfs(there) {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let room = say(format!("disk of the {what}"), format!("{what}所在磁盘"));
            if free < LOW_DISK {
                let found = format!("{} MiB are free", free >> 20);
                looks.add(Verdict::Bad, &room, found, "make room; below `store.low_water` polling pauses");
            } else if disk.f_files > 0 && disk.f_favail < LOW_INODES {
                let found = format!("{} inodes are free", disk.f_favail);
                looks.add(
                    Verdict::Bad,
                    &room,
                    found,
                    "delete small files on it, or make a file system with more inodes",
                );
            }
        }
    }
}

async fn of_daemon(looks: &mut Looks, config: &Config) -> bool {
    let what = say("daemon", "守护进程");
    match control::ask(&config.socket, &Query::Sources).await {
        Ok(Asked::Daemon(_)) => {
            looks.good(&what, format!("answers at {}", config.socket.display()));
            true
        }
        Ok(Asked::Nobody) => {
            looks.add(Verdict::Note, &what, "none runs", "systemctl start feedmill, or `feedmill run`");
            false
        }
        Err(error) => {
            let way_out =
                "run this as root or as a member of the service's group; use the same version for both";
            looks.add(Verdict::Bad, &what, chain(&error), way_out);
            true
        }
    }
}

fn of_port(looks: &mut Looks, config: &Config, runs: bool) {
    let Some(listen) = config.listen.filter(|_| !runs) else { return };
    let what = say("port", "端口");
    match TcpListener::bind(listen) {
        Ok(_) => looks.good(&what, format!("{listen} is free")),
        Err(error) => {
            let way_out =
                format!("`ss -ltnp sport = :{}` tells who has it; or change `serve.listen`", listen.port());
            looks.add(Verdict::Bad, &what, format!("{listen}: {error}"), way_out);
        }
    }
}

async fn of_names(looks: &mut Looks, config: &Config) {
    let what = say("names (DNS)", "域名解析");
    let mut hosts: Vec<(String, u16)> = Vec::new();
    for source in config.sources.iter().filter(|source| source.enabled && source.proxy.is_none()) {
        if let Some(url::Host::Domain(host)) = source.url.host() {
            let host = (host.to_owned(), source.url.port_or_known_default().unwrap_or(443));
            if !hosts.contains(&host) && hosts.len() < HOSTS {
                hosts.push(host);
            }
        }
    }
    for (host, port) in hosts {
        match tokio::net::lookup_host((host.as_str(), port)).await.map(|mut all| all.next()) {
            Ok(Some(_)) => looks.good(&what, host.clone()),
            Ok(None) => {
                looks.add(Verdict::Bad, &what, format!("{host} has no address"), "is it spelled right?");
            }
            Err(error) => {
                let way_out = "`resolvectl query` and /etc/resolv.conf tell who is asked";
                looks.add(Verdict::Bad, &what, format!("{host}: {error}"), way_out);
            }
        }
    }
}

fn of_exports(looks: &mut Looks, config: &Config) {
    let what = say("last export", "上次导出");
    let last = export::all(&config.exports.folder).last().and_then(|path| export::made_at(path));
    match last {
        Some(made) => looks.good(&what, made.rfc3339()),
        None => looks.add(
            Verdict::Note,
            &what,
            "there is none yet",
            "`feedmill store export FILE` makes one; the daemon makes one each `store.export_every`",
        ),
    }
}

fn of_unit(looks: &mut Looks) {
    if !Path::new("/run/systemd/system").exists() {
        return;
    }
    let what = say("unit", "服务单元");
    let places = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
    match places.iter().map(|folder| Path::new(folder).join("feedmill.service")).find(|path| path.is_file()) {
        Some(path) => looks.good(&what, path.display().to_string()),
        None => looks.add(
            Verdict::Note,
            &what,
            "feedmill is no service here",
            "feedmill generate unit > /etc/systemd/system/feedmill.service; systemctl daemon-reload",
        ),
    }
}
