//! The language of messages: Chinese in a Chinese locale, English elsewhere.

use std::sync::LazyLock;

use clap::Command;

static CHINESE: LazyLock<bool> = LazyLock::new(|| {
    // The first of these that is set decides (POSIX, 8.2).
    let set =
        ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(std::env::var_os).find(|v| !v.is_empty());
    set.is_some_and(|locale| locale.to_string_lossy().to_ascii_lowercase().starts_with("zh"))
});

/// Returns the text in the language of messages; both must mean the same.
pub(super) fn say(english: impl Into<String>, chinese: impl Into<String>) -> String {
    if *CHINESE { chinese.into() } else { english.into() }
}

/// Returns the language of messages, as a tag.
pub(super) fn language() -> &'static str {
    if *CHINESE { "zh-CN" } else { "en" }
}

/// The Chinese description of each command, by its words.
const ABOUT: [(&str, &str); 57] = [
    ("", "轮询各报的订阅源，每篇文章只存一次，为每个分类发布一份干净的订阅源。"),
    ("run", "轮询、发布并提供服务，直到停止（守护进程）"),
    ("poll", "对全部或部分来源轮询一次，然后发布"),
    ("reload", "不重启，改用磁盘上的配置"),
    ("publish", "把所有输出更新到最新"),
    ("serve", "只提供已发布的内容，不轮询"),
    ("check", "检查配置；一次列出全部错误"),
    ("preview", "显示 feedmill 从订阅源、文件或网址读出的内容"),
    ("discover", "查找网址背后的订阅源，并给出可保存的配置"),
    ("status", "现在的情况，最需要处理的在最前"),
    ("doctor", "检查配置、权限、磁盘、时间、域名解析、证书、端口和服务单元，并说明如何修复"),
    ("healthcheck", "守护进程是否应答（用于容器）"),
    ("log", "不重启，改变守护进程的日志级别"),
    ("source", "来源"),
    ("source list", "列出来源及其状态：上次成功、下次轮询及原因"),
    ("source add", "查找网址背后的订阅源，预览，确认后写入配置"),
    ("source test", "轮询一次，只说明会存入什么"),
    ("source disable", "停止轮询一个来源，已有文章保留"),
    ("source enable", "恢复轮询一个来源"),
    ("source remove", "从配置中删去一个来源，已有文章保留"),
    ("source rename", "给来源换显示名称（编号永不改变）"),
    ("source undo-move", "忘记来源迁往的地址，仍用配置中的地址"),
    ("category", "分类"),
    ("category list", "列出分类及其状态"),
    ("category rename", "给分类改名或换网址用名，旧网址自动跳转"),
    ("category merge", "把一个分类并入另一个，旧网址自动跳转"),
    ("rule", "规则"),
    ("rule list", "列出规则及其命中次数"),
    ("reroute", "把改动后的规则和分类用于已存的文章"),
    ("item", "文章"),
    ("item list", "最新的文章"),
    ("item show", "一篇文章的全部信息"),
    ("item explain", "一篇文章的来历：发生过什么、为什么、出现在哪里"),
    ("item move", "把文章移到另一个分类，永久有效"),
    ("item withdraw", "从所有输出中撤下文章，不会再出现"),
    ("item restore", "恢复撤下的文章"),
    ("item find", "按标题或编号查找文章"),
    ("store", "存储：检查、修复、压缩、导出、导入、统计"),
    ("store check", "逐条检查存储有无错误，不作改动，并说明修复会丢失什么"),
    ("store repair", "修复检查出的错误：重建索引，正文取自最近的导出，其余重新索取"),
    ("store compact", "收回已删除内容占用的空间"),
    ("store export", "把整个存储写入一个文件"),
    ("store import", "用导出文件替换存储"),
    ("store stats", "统计存储的内容"),
    ("import", "接收另一个网站"),
    ("import jekyll", "导入 Jekyll 网站的文章；旧网址继续有效"),
    ("import opml", "把 OPML 订阅列表变成来源"),
    ("export", "写出给其他程序用的文件"),
    ("export opml", "把全部来源写成 OPML 订阅列表"),
    ("generate", "生成手册页、补全脚本、配置模式、服务单元和示例配置"),
    ("generate man", "手册页"),
    ("generate completions", "命令行补全脚本"),
    ("generate schema", "配置的 JSON Schema，供编辑器使用"),
    ("generate unit", "systemd 服务单元"),
    ("generate config", "配置文件"),
    ("demo", "用样本或您自己的订阅源马上试用"),
    ("help", "显示帮助"),
];

/// Translates the command line into the language of messages.
pub(super) fn localised(command: Command) -> Command {
    if *CHINESE { chinese(command, "") } else { command }
}

fn chinese(command: Command, path: &str) -> Command {
    let about = ABOUT.iter().find(|(words, _)| *words == path).map(|(_, about)| *about);
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let command = match about {
        Some(about) => command.about(about).long_about(None::<&str>),
        None => command,
    };
    names.into_iter().fold(command, |command, name| {
        let below = format!("{path} {name}");
        command.mut_subcommand(name, |sub| chinese(sub, below.trim()))
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn all(command: &Command, path: &str, found: &mut Vec<String>) {
        found.push(path.to_owned());
        for sub in command.get_subcommands() {
            all(sub, format!("{path} {}", sub.get_name()).trim(), found);
        }
    }

    #[test]
    fn every_command_has_a_chinese_line_and_none_is_left_over() {
        let mut known = Vec::new();
        all(&super::super::Cli::command(), "", &mut known);
        let told: Vec<&str> =
            ABOUT.iter().map(|(words, _)| *words).filter(|words| *words != "help").collect();
        let missing: Vec<_> = known.iter().filter(|path| !told.contains(&path.as_str())).collect();
        let over: Vec<_> = told.iter().filter(|path| !known.iter().any(|k| k == *path)).collect();
        assert!(missing.is_empty() && over.is_empty(), "missing {missing:?}, left over {over:?}");
        let help = chinese(super::super::Cli::command(), "").render_help().to_string();
        assert!(help.contains("检查配置"), "{help}");
    }
}
