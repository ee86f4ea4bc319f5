//! `status` and `healthcheck`.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::locale::{language, say};
use super::{ask::ask, show};
use crate::config::Config;
use crate::control::Query;
use crate::daemon::Status;
use crate::render::built_in_texts;

/// How long a healthy daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Prints what needs attention and the numbers; exit code 1 if something needs attention.
///
/// # Errors
/// When neither daemon nor store can be reached.
pub(super) async fn status(config: Config, json: bool) -> Result<ExitCode> {
    let answer = ask(config, Query::Status).await?;
    let status: Status = serde_json::from_value(answer.clone())?;
    if json {
        show::json(&answer)?;
    } else {
        show::text(&show::plain(&told(&status)))?;
    }
    Ok(if status.attention.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told(status: &Status) -> String {
    let mut lines = Vec::new();
    if status.attention.is_empty() {
        lines.push(say("all is well", "一切正常"));
    } else {
        lines.push(say("what needs attention:", "需要处理："));
        let texts = built_in_texts(language());
        for one in &status.attention {
            let (what, way_out) = one.told(&texts);
            lines.push(format!("  {what}"));
            lines.push(format!("    → {way_out}"));
        }
        if status.more > 0 {
            lines.push(say(format!("  and {} more", status.more), format!("  还有 {} 项", status.more)));
        }
    }
    lines.push(String::new());
    let mut row = |english: &str, chinese: &str, value: String| {
        lines.push(format!("{}  {value}", say(format!("{english:<12}"), format!("{chinese:　<6}"))));
    };
    let none = || say("none", "无");
    row(
        "sources",
        "来源",
        say(
            format!("{} polled, {} of them failing, {} off", status.polled, status.failing, status.off),
            format!("轮询 {} 个，其中 {} 个失败；停用 {} 个", status.polled, status.failing, status.off),
        ),
    );
    row(
        "articles",
        "文章",
        say(
            format!("{} in {} categories", status.items, status.categories),
            format!("{} 篇，{} 个分类", status.items, status.categories),
        ),
    );
    row("next poll", "下次轮询", status.next_poll.clone().unwrap_or_else(none));
    row("last export", "上次导出", status.last_export.clone().unwrap_or_else(none));
    if let Some(reload) = &status.reload {
        row("config", "配置", format!("{} ({})", reload.line(), reload.at.rfc3339()));
    }
    row("site", "网站", status.url.clone());
    row("version", "版本", status.version.clone());
    lines.join("\n") + "\n"
}

/// Checks whether the daemon answers; for containers.
///
/// # Errors
/// When it does not.
pub(super) async fn healthcheck(config: Config) -> Result<ExitCode> {
    let Some(listen) = config.listen else { bail!("`serve.enabled` is false: nothing listens") };
    let at = match listen {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => SocketAddr::from((Ipv4Addr::LOCALHOST, v4.port())),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => SocketAddr::from((Ipv6Addr::LOCALHOST, v6.port())),
        other => other,
    };
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
    let answer = client
        .get(format!("http://{at}/healthz"))
        .send()
        .await
        .with_context(|| format!("no answer from {at}"))?;
    if !answer.status().is_success() {
        bail!("{at} answered {}", answer.status());
    }
    show::text("ok\n")?;
    Ok(ExitCode::SUCCESS)
}
