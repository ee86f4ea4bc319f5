//! `doctor`: checks what a mill needs around it, and says how to fix what is wrong.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use serde_json::json;

use super::locale::say;
use super::show;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Files, Severity};
use crate::control::{self, Query, Reply};
use crate::fetch::Fetcher;
use crate::model::chain;
use crate::store::backup;

/// When this was written, in Unix seconds: an earlier clock is wrong.
const WRITTEN: i64 = 1_763_000_000;
/// Hosts of sources that are resolved at most.
const HOSTS: usize = 5;
/// Free bytes below which an export or a migration may fail.
const LOW_DISK: u64 = 256 << 20;
/// Free inodes below which writing outputs may fail.
const LOW_INODES: u64 = 10_000;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Good,
    Note,
    Bad,
}

/// A check with its result.
#[derive(Debug, Clone, Serialize)]
struct Finding {
    verdict: Verdict,
    what: String,
    found: String,
    way_out: String,
}

#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, verdict: Verdict, what: &str, found: impl Into<String>, way_out: impl Into<String>) {
        self.0.push(Finding { verdict, what: what.to_owned(), found: found.into(), way_out: way_out.into() });
    }

    fn good(&mut self, what: &str, found: impl Into<String>) {
        self.add(Verdict::Good, what, found, "");
    }
}

/// Checks everything; exit code 1 if something is bad.
///
/// # Errors
/// When standard output is closed.
pub(super) async fn doctor(path: &Path, as_json: bool) -> Result<ExitCode> {
    let mut findings = Findings::default();
    let config = check_config(&mut findings, path);
    of_clock(&mut findings);
    of_roots(&mut findings);
    if let Some(config) = &config {
        of_folders(&mut findings, config);
        let runs = of_daemon(&mut findings, config).await;
        of_port(&mut findings, config, runs);
        of_names(&mut findings, config).await;
        of_exports(&mut findings, config);
        of_leftovers(&mut findings, config, runs);
    }
    of_unit(&mut findings);
    let bad = findings.0.iter().any(|look| look.verdict == Verdict::Bad);
    if as_json {
        show::json(&json!(findings.0))?;
    } else {
        show::text(&show::plain(&told(&findings.0)))?;
    }
    Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn told(findings: &[Finding]) -> String {
    let mut lines = Vec::new();
    for look in findings {
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

fn check_config(findings: &mut Findings, path: &Path) -> Option<Config> {
    let what = say("config", "配置");
    let loaded = Files::read(path).load();
    let count = loaded.faults.count();
    let errors = loaded.faults.iter().filter(|fault| fault.severity == Severity::Error).count();
    match &loaded.config {
        Some(config) if loaded.faults.is_empty() => {
            let (path, count) = (path.display(), config.sources.len());
            findings.good(&what, say(format!("{path}, {count} sources"), format!("{path}，{count} 个来源")));
        }
        Some(_) => {
            findings.add(Verdict::Note, &what, format!("{}: {count}", path.display()), "feedmill check");
        }
        None => {
            let found = format!("{}: {count}", path.display());
            let way_out = if errors > 0 {
                say("`feedmill check` shows each with its line", "用 `feedmill check` 查看每处错误及所在行")
            } else {
                String::new()
            };
            findings.add(Verdict::Bad, &what, found, way_out);
        }
    }
    loaded.config
}

fn of_clock(findings: &mut Findings) {
    let now = SystemClock.now();
    let what = say("time", "时间");
    if now.unix() < WRITTEN {
        findings.add(
            Verdict::Bad,
            &what,
            say(
                format!("{} is before this program was made", now.rfc3339()),
                format!("{} 早于本程序的编写时间", now.rfc3339()),
            ),
            say(
                "set the clock, and let it be kept: `timedatectl set-ntp true`",
                "请校准时钟并保持同步：`timedatectl set-ntp true`",
            ),
        );
    } else {
        findings.good(&what, now.rfc3339());
    }
}

fn of_roots(findings: &mut Findings) {
    let what = say("TLS roots", "TLS 根证书");
    let known =
        ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
    let set = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let mend = say("install `ca-certificates`", "请安装 `ca-certificates`");
    let found = set.into_iter().chain(known.map(PathBuf::from)).find(|path| path.is_file());
    match (found, Fetcher::new(crate::fetch::FetchOptions::default())) {
        (Some(path), Ok(_)) => findings.good(&what, path.display().to_string()),
        (_, Err(error)) => findings.add(Verdict::Bad, &what, chain(&error), mend),
        (None, Ok(_)) => findings.add(
            Verdict::Bad,
            &what,
            say(
                "none are found, so no newspaper can be asked over HTTPS",
                "没有找到，无法通过 HTTPS 读取任何报纸",
            ),
            mend,
        ),
    }
}

fn of_folders(findings: &mut Findings, config: &Config) {
    let places = [
        (say("store", "存储"), &config.store.path, true),
        (say("outputs", "输出"), &config.publish.output, false),
        (say("exports", "导出"), &config.exports.folder, true),
    ];
    for (what, folder, secret) in places {
        // The nearest existing folder decides whether it can be created.
        let there = folder.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
        match tempfile::NamedTempFile::new_in(there) {
            Ok(_) => findings.good(&what, folder.display().to_string()),
            Err(error) => {
                let way_out = match std::fs::metadata(there) {
                    Ok(meta) => {
                        let (user, mode) = (meta.uid(), meta.permissions().mode() & 0o7777);
                        say(
                            format!(
                                "it belongs to user {user} with mode {mode:o}; run this as that user, or `chown` it"
                            ),
                            format!("它属于用户 {user}，权限 {mode:o}；请以该用户运行，或用 `chown` 更改"),
                        )
                    }
                    Err(_) => {
                        say("make it, for the user that feedmill runs as", "请为运行 feedmill 的用户创建它")
                    }
                };
                findings.add(
                    Verdict::Bad,
                    &what,
                    say(
                        format!("cannot write in {}: {error}", there.display()),
                        format!("无法写入 {}：{error}", there.display()),
                    ),
                    way_out,
                );
            }
        }
        if secret && std::fs::metadata(folder).is_ok_and(|meta| meta.permissions().mode() & 0o007 != 0) {
            let way_out = format!("chmod o= {}", folder.display());
            findings.add(
                Verdict::Note,
                &what,
                say(
                    "others on this machine can read what was withdrawn there",
                    "本机其他用户可以读到其中已撤下的内容",
                ),
                way_out,
            );
        }
        if let Ok(disk) = rustix::fs::statvfs(there) {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let room = say(format!("disk of the {what}"), format!("{what}所在磁盘"));
            if free < LOW_DISK {
                let free = free >> 20;
                let found = say(format!("{free} MiB are free"), format!("剩余 {free} MiB"));
                let way_out = say(
                    "make room; below `store.low_water` polling pauses",
                    "请腾出空间；低于 `store.low_water` 时暂停抓取",
                );
                findings.add(Verdict::Bad, &room, found, way_out);
            } else if disk.f_files > 0 && disk.f_favail < LOW_INODES {
                let free = disk.f_favail;
                let found = say(format!("{free} inodes are free"), format!("剩余 {free} 个 inode"));
                let way_out = say(
                    "delete small files on it, or make a file system with more inodes",
                    "请删除其上的小文件，或改用 inode 更多的文件系统",
                );
                findings.add(Verdict::Bad, &room, found, way_out);
            }
        }
    }
}

async fn of_daemon(findings: &mut Findings, config: &Config) -> bool {
    let what = say("daemon", "守护进程");
    match control::ask(&config.socket, &Query::Sources).await {
        Ok(Reply::Daemon(_)) => {
            let at = config.socket.display();
            findings.good(&what, say(format!("answers at {at}"), format!("在 {at} 应答")));
            true
        }
        Ok(Reply::NoDaemon) => {
            let way_out = say(
                "systemctl start feedmill, or `feedmill run`",
                "systemctl start feedmill，或 `feedmill run`",
            );
            findings.add(Verdict::Note, &what, say("none runs", "没有运行"), way_out);
            false
        }
        Err(error) => {
            let way_out = say(
                "run this as root or as a member of the service's group; use the same version for both",
                "请以 root 或服务用户组成员的身份运行；两者请用同一版本",
            );
            findings.add(Verdict::Bad, &what, chain(&error), way_out);
            true
        }
    }
}

fn of_port(findings: &mut Findings, config: &Config, runs: bool) {
    let Some(listen) = config.listen.filter(|_| !runs) else { return };
    let what = say("port", "端口");
    match TcpListener::bind(listen) {
        Ok(_) => findings.good(&what, say(format!("{listen} is free"), format!("{listen} 可用"))),
        Err(error) => {
            let port = listen.port();
            let way_out = say(
                format!("`ss -ltnp sport = :{port}` tells who has it; or change `serve.listen`"),
                format!("用 `ss -ltnp sport = :{port}` 查看是谁占用；或改 `serve.listen`"),
            );
            findings.add(Verdict::Bad, &what, format!("{listen}: {error}"), way_out);
        }
    }
}

async fn of_names(findings: &mut Findings, config: &Config) {
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
            Ok(Some(_)) => findings.good(&what, host.clone()),
            Ok(None) => {
                let found = say(format!("{host} has no address"), format!("{host} 没有地址"));
                findings.add(Verdict::Bad, &what, found, say("is it spelled right?", "拼写是否正确？"));
            }
            Err(error) => {
                let way_out = say(
                    "`resolvectl query` and /etc/resolv.conf tell who is asked",
                    "用 `resolvectl query` 和 /etc/resolv.conf 查看向谁查询",
                );
                findings.add(Verdict::Bad, &what, format!("{host}: {error}"), way_out);
            }
        }
    }
}

/// Reports what an interrupted import or compaction left behind; the next one deletes it first.
fn of_leftovers(findings: &mut Findings, config: &Config, runs: bool) {
    let mut name = config.store.path.as_os_str().to_owned();
    name.push(".new");
    let left = PathBuf::from(name);
    if left.exists() && !runs {
        let way_out = say(
            format!("nothing needs it; `rm -r {}`", left.display()),
            format!("已不需要；`rm -r {}`", left.display()),
        );
        let found = say(
            format!("{} is left of work that was cut off", left.display()),
            format!("{} 是中断的工作留下的", left.display()),
        );
        findings.add(Verdict::Note, &say("store", "存储"), found, way_out);
    }
}

fn of_exports(findings: &mut Findings, config: &Config) {
    let what = say("last export", "上次导出");
    let last = backup::all(&config.exports.folder).last().and_then(|path| backup::made_at(path));
    match last {
        Some(made) => findings.good(&what, made.rfc3339()),
        None => findings.add(
            Verdict::Note,
            &what,
            say("there is none yet", "还没有"),
            say(
                "`feedmill store export FILE` makes one; the daemon makes one each `store.export_every`",
                "用 `feedmill store export 文件` 导出；守护进程每隔 `store.export_every` 自动导出",
            ),
        ),
    }
}

fn of_unit(findings: &mut Findings) {
    if !Path::new("/run/systemd/system").exists() {
        return;
    }
    let what = say("unit", "服务单元");
    let places = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
    match places.iter().map(|folder| Path::new(folder).join("feedmill.service")).find(|path| path.is_file()) {
        Some(path) => findings.good(&what, path.display().to_string()),
        None => findings.add(
            Verdict::Note,
            &what,
            say("feedmill is no service here", "feedmill 在这里不是系统服务"),
            "feedmill generate unit > /etc/systemd/system/feedmill.service; systemctl daemon-reload",
        ),
    }
}
