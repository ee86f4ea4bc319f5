//! Messages about a damaged store: what was lost, or would be.

use super::locale::say;
use crate::model::Timestamp;
use crate::store::{Loss, Remedy};

/// Returns the message for what a repair would lose.
pub(super) fn loss_preview(loss: &Loss) -> String {
    let Loss { articles, texts, forms, .. } = loss;
    let mut text = say(
        format!("a repair would lose {articles} articles, {texts} texts and {forms} earlier forms"),
        format!("修复会丢失 {articles} 篇文章、{texts} 篇正文和 {forms} 个旧版本"),
    );
    text.push_str(&brought(loss));
    text.push_str(&say("; its newspapers are asked for what is lost\n", "；丢失的内容会重新向来源索取\n"));
    text
}

/// Returns the message for what was lost, and where the damaged store is.
pub(super) fn loss_message(loss: &Loss) -> String {
    let Loss { articles, texts, forms, changes, aside, .. } = loss;
    let mut text = remedy(loss);
    text.push_str(&say(
        format!("; lost: {articles} articles, {texts} texts, {forms} earlier forms"),
        format!("；丢失：{articles} 篇文章、{texts} 篇正文、{forms} 个旧版本"),
    ));
    if *changes > 0 {
        text.push_str(&say(
            format!("; its last {changes} changes are lost, withdrawals among them: take out again what must stay out"),
            format!("；最后 {changes} 处改动丢失，其中可能有撤下操作：必须撤下的文章请再撤一次"),
        ));
    }
    text.push_str(&brought(loss));
    if let Some(aside) = aside {
        text.push_str(&say(
            format!("; the damaged one is kept as `{aside}`"),
            format!("；损坏的存储保留为 `{aside}`"),
        ));
    }
    text.push('\n');
    text
}

fn remedy(loss: &Loss) -> String {
    let (english, chinese) = match loss.remedy {
        Remedy::InPlace => ("the store is mended where it stands", "存储已就地修复"),
        Remedy::Salvaged => ("a new store was made of what could be read", "已用可读的部分重建存储"),
        Remedy::Exported => (
            "a new store was made from the last export, which has more than could be read",
            "最近的导出比可读的部分更完整，已用它重建存储",
        ),
        Remedy::Emptied => (
            "nothing could be read, and there is no export; a new store is filled from what is published",
            "无法读取，也没有导出；已用已发布的内容重建存储",
        ),
    };
    say(english, chinese)
}

/// Returns how much comes from the export and from the outputs, and how old the export is.
fn brought(loss: &Loss) -> String {
    let made = loss.export.map(Timestamp::rfc3339);
    let (export, outputs) = (loss.from_export, loss.from_outputs);
    let mut text = made.map_or_else(String::new, |made| {
        say(
            format!("; {export} more come from the export of {made}"),
            format!("；另有 {export} 项取自 {made} 的导出"),
        )
    });
    if outputs > 0 {
        text.push_str(&say(
            format!("; {outputs} more come from what is published"),
            format!("；另有 {outputs} 项取自已发布的内容"),
        ));
    }
    text
}
