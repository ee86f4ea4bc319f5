//! Promise: commands work as their help says, change the config without touching comments, and their effects
//! last where the help says so.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

#[path = "support/program.rs"]
mod program;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use program::{Running, feedmill, json, run};
use serde_json::Value;
use support::{Upstream, ask, get, rss};
use tempfile::TempDir;
use tokio::task::JoinSet;

/// Examples that run concurrently.
const AT_ONCE: usize = 4;
const TEXT: &str = "<p>党建引领：这是一篇足够长的文章，两家报纸登的是同一篇。</p>";

/// Two newspapers that share one article.
fn world(upstream: &Upstream) -> TempDir {
    upstream.put(
        "/xihai.xml",
        rss(&[
            ("NW202112212221043837", "数字金融", "Tue, 21 Dec 2021 13:55:07 +0800", TEXT),
            ("NW202112212221043838", "青海湖", "Tue, 21 Dec 2021 10:00:00 +0800", "<p>短讯</p>"),
        ]),
    );
    upstream.put("/qinghai.xml", rss(&[("q-1", "数字金融", "Tue, 21 Dec 2021 14:00:00 +0800", TEXT)]));
    let folder = tempfile::tempdir().unwrap();
    let main = format!(
        "# mine\n[site]\ncode_space = \"eastmoney\"\n[store]\npath = \"store\"\ncache = \"8MiB\"\nballast = \"0B\"\nlow_water = \"4MiB\"\nexports = \"exports\"\n\
         [output]\npath = \"public\"\n[serve]\nlisten = \"127.0.0.1:0\"\n[control]\nsocket = \"control.sock\"\n\
         [fetch]\nallow = [\"127.0.0.0/8\"]\nhost_spacing = \"0ms\"\nfirst_spacing = \"0ms\"\n\
         [[source]] # the first\nid = \"xihai\"\nurl = \"{0}/xihai.xml\"\ncategory = \"西海都市报\"\ncode_space = \"eastmoney\"\n\
         [source.code]\nfrom = \"guid\"\n",
        upstream.base
    );
    fs::write(folder.path().join("feedmill.toml"), main).unwrap();
    fs::create_dir(folder.path().join("sources.d")).unwrap();
    let other =
        format!("[[source]]\nurl = \"{}/qinghai.xml\"\ncategory = \"青海日报\" # home\n", upstream.base);
    fs::write(folder.path().join("sources.d/qinghai.toml"), other).unwrap();
    folder
}

/// Returns the output of a command, which must end with `code`.
async fn words(folder: &Path, arguments: &[&str], code: i32) -> String {
    let ended = run(folder, arguments).await;
    let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    assert_eq!(ended.status.code(), Some(code), "{arguments:?}: {said}");
    said
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

async fn location(at: SocketAddr, path: &str) -> (u16, String) {
    let answer = ask(at, "GET", path, &[]).await;
    (answer.status, answer.header("location").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_are_changed_in_their_files() {
    let upstream = Upstream::start().await;
    let folder = world(&upstream);
    let at = folder.path();
    let main = text(&at.join("feedmill.toml"));
    upstream.put(
        "/home",
        format!(
            "<html><head><link rel=alternate type=application/rss+xml href={}/new.xml></head>",
            upstream.base
        ),
    );
    upstream.put("/new.xml", rss(&[("n-1", "新", "Tue, 21 Dec 2021 14:00:00 +0800", "<p>x</p>")]));

    // Any address of the newspaper leads to its feed; nothing is written before the admin agrees.
    let home = format!("{}/home", upstream.base);
    let shown = words(at, &["source", "add", &home, "--id", "new", "--dry-run"], 0).await;
    assert!(shown.contains("/new.xml") && shown.contains("nothing was written"), "{shown}");
    let asked = words(at, &["source", "add", &home, "--id", "new"], 1).await;
    assert!(asked.contains("add `--yes`") && !at.join("sources.d/new.toml").exists(), "{asked}");
    let added =
        json(at, &["source", "add", &home, "--id", "new", "--category", "新报", "--yes", "--json"]).await;
    assert_eq!((&added["id"], &added["items"], &added["written"]), (&"new".into(), &1.into(), &true.into()));
    assert!(text(&at.join("sources.d/new.toml")).contains("category = \"新报\""));
    assert!(
        words(at, &["source", "add", &home, "--id", "new", "--yes"], 1).await.contains("is there already")
    );

    for (arguments, file, has) in [
        (&["source", "disable", "xihai"][..], "feedmill.toml", "enabled = false"),
        (
            &["source", "rename", "qinghai", "青海"],
            "sources.d/qinghai.toml",
            "category = \"青海日报\" # home\nname = \"青海\"",
        ),
        (&["source", "enable", "xihai"], "feedmill.toml", "# mine\n"),
    ] {
        assert!(words(at, arguments, 0).await.contains("the next start uses it"), "{arguments:?}");
        assert!(text(&at.join(file)).contains(has), "{arguments:?}: {}", text(&at.join(file)));
    }
    assert_eq!(text(&at.join("feedmill.toml")), main, "comments and order stay");
    words(at, &["source", "remove", "new"], 0).await;
    assert!(!at.join("sources.d/new.toml").exists());
    assert!(words(at, &["source", "disable", "nobody"], 1).await.contains("there is no source `nobody`"));

    // A list of subscriptions is exported and imported.
    let list = words(at, &["export", "opml"], 0).await;
    assert!(list.contains("xmlUrl=") && list.contains("category=\"/西海都市报\""), "{list}");
    let more =
        list.replace("</body>", &format!("<outline text='三' xmlUrl='{}/new.xml'/></body>", upstream.base));
    fs::write(at.join("list.opml"), more).unwrap();
    let imported = json(at, &["import", "opml", &at.join("list.opml").to_string_lossy(), "--json"]).await;
    assert_eq!(
        (&imported["listed"], imported["new"].as_array().unwrap().len()),
        (&3.into(), 1),
        "{imported:#}"
    );
    assert_eq!(json(at, &["source", "list", "--json"]).await.as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn categories_get_other_names_and_become_one() {
    let upstream = Upstream::start().await;
    let folder = world(&upstream);
    let at = folder.path();
    json(at, &["poll", "--json"]).await;
    let mut daemon = Running::start(feedmill(at, &["run"]));
    let address = daemon.serving();

    let said = words(at, &["category", "rename", "xihaidushibao", "西海报", "--slug", "xihai"], 0).await;
    assert!(said.contains("西海都市报 is 西海报 now") && said.contains("in use"), "{said}");
    assert!(
        text(&at.join("sources.d/categories.toml"))
            .contains("name = \"西海报\"\nslug = \"xihai\"\naliases = [\"xihaidushibao\"]")
    );
    assert!(
        text(&at.join("feedmill.toml")).contains("category = \"西海报\""),
        "a new store must not make the old one"
    );
    assert!(get(address, "/category/xihai.html").await.text().contains("西海报"));
    for (old, new) in [
        ("/category/xihaidushibao.html", "category/xihai.html"),
        ("/feed/xihaidushibao.xml", "feed/xihai.xml"),
        ("/feed/xihaidushibao.json", "feed/xihai.json"),
    ] {
        let (status, to) = location(address, old).await;
        assert!(status == 301 && to.ends_with(new), "{old}: {status} {to}");
    }
    // Articles keep their addresses, and the newspaper its articles.
    assert_eq!(get(address, "/xihaidushibao/2021/12/21/NW202112212221043838.html").await.status, 200);
    assert!(
        words(at, &["category", "rename", "qinghairibao", "--slug", "xihai"], 1)
            .await
            .contains("category merge")
    );

    let dry = words(at, &["category", "merge", "qinghairibao", "xihai", "--dry-run"], 0).await;
    assert!(dry.contains("1 items would go from 青海日报 to 西海报"), "{dry}");
    let said = words(at, &["category", "merge", "qinghairibao", "xihai"], 0).await;
    assert!(said.contains("1 items went"), "{said}");
    assert!(text(&at.join("sources.d/qinghai.toml")).contains("category = \"西海报\" # home"));
    let (status, to) = location(address, "/feed/qinghairibao.xml").await;
    assert!(status == 301 && to.ends_with("feed/xihai.xml"), "{status} {to}");
    let categories = json(at, &["category", "list", "--json"]).await;
    assert_eq!(categories.as_array().unwrap().len(), 1, "{categories:#}");
    let checked = json(at, &["store", "check", "--json"]).await;
    assert_eq!(checked["faults"].as_array().map_or(0, Vec::len), 0, "{checked:#}");
    // Later articles enter that category too, also after a restart.
    assert_eq!(daemon.terminate().code(), Some(0), "{}", daemon.said);
    upstream.put("/qinghai.xml", rss(&[("q-2", "后来", "Wed, 22 Dec 2021 14:00:00 +0800", "<p>后</p>")]));
    json(at, &["poll", "--json"]).await;
    let items = json(at, &["item", "list", "--category", "xihai", "--json"]).await;
    assert_eq!(items.as_array().unwrap().len(), 4, "{items:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_admin_moved_or_withdrew_stays_so() {
    let upstream = Upstream::start().await;
    let folder = world(&upstream);
    let at = folder.path();
    json(at, &["poll", "--json"]).await;
    json(at, &["store", "export", &at.join("exports/x").to_string_lossy(), "--json"]).await;

    let moved = words(at, &["item", "move", "NW202112212221043838", "--to", "qinghairibao"], 0).await;
    assert!(moved.contains("青海日报 from now on, for ever"), "{moved}");
    upstream.put(
        "/xihai.xml",
        rss(&[
            ("NW202112212221043837", "数字金融", "Tue, 21 Dec 2021 13:55:07 +0800", TEXT),
            ("NW202112212221043838", "青海湖，改", "Tue, 21 Dec 2021 10:00:00 +0800", "<p>改</p>"),
        ]),
    );
    json(at, &["poll", "--json"]).await;
    json(at, &["reroute", "--json"]).await;
    let item = json(at, &["item", "show", "NW202112212221043838", "--json"]).await;
    assert_eq!(
        (&item["title"], &item["categories"]),
        (&"青海湖，改".into(), &serde_json::json!(["qinghairibao"]))
    );

    let kept = || {
        let answers = std::fs::read_dir(at.join("store/answers")).unwrap().flatten();
        let mut answers = answers.map(|answer| std::fs::read(answer.path()).unwrap());
        answers.any(|answer| String::from_utf8_lossy(&answer).contains("党建引领"))
    };
    assert!(kept());
    // By the newspaper's own address; the copy is listed, and withdrawn only with `--copies`.
    let original = "https://paper.example/NW202112212221043837";
    let dry = words(at, &["item", "withdraw", original, "--why", "asked", "--dry-run"], 0).await;
    assert!(dry.contains("these show the same, and stay") && dry.contains("qinghai~"), "{dry}");
    assert!(dry.contains("/feed/xihaidushibao.xml") && dry.contains("nothing was done"), "{dry}");
    assert!(
        words(at, &["item", "withdraw", "https://nowhere.example/", "--why", "x"], 1)
            .await
            .contains("nothing was done")
    );
    let gone =
        json(at, &["item", "withdraw", original, "--why", "asked", "--copies", "--erase", "--json"]).await;
    assert_eq!((&gone["withdrawn"], &gone["erased"]), (&2.into(), &true.into()), "{gone:#}");
    assert!(!kept(), "the last answers held the text");
    let mut server = Running::start(feedmill(at, &["serve"]));
    let address = server.serving();
    assert_eq!(get(address, "/xihaidushibao/2021/12/21/NW202112212221043837.html").await.status, 410);
    assert!(!get(address, "/feed/xihaidushibao.xml").await.text().contains("党建引领"));
    assert_eq!(server.terminate().code(), Some(0));
    json(at, &["poll", "--json"]).await;
    let items = json(at, &["item", "list", "--json"]).await;
    assert_eq!(items.as_array().unwrap().len(), 1, "it does not come back: {items:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn status_says_first_what_needs_attention_in_the_language_of_the_locale() {
    let upstream = Upstream::start().await;
    let folder = world(&upstream);
    let at = folder.path();
    json(at, &["poll", "--json"]).await;
    assert!(words(at, &["status"], 0).await.contains("all is well"));
    let mut chinese = feedmill(at, &["status"]);
    chinese.env("LC_ALL", "zh_CN.UTF-8");
    let said = chinese.output().unwrap().stdout;
    assert!(String::from_utf8_lossy(&said).contains("一切正常"));
    let mut help = feedmill(at, &["item", "withdraw", "--help"]);
    help.env("LC_ALL", "zh_CN.UTF-8");
    assert!(String::from_utf8_lossy(&help.output().unwrap().stdout).contains("从所有输出中撤下文章"));

    upstream.put("/xihai.xml", "<html></html>");
    for _ in 0..3 {
        run(at, &["poll", "xihai"]).await;
    }
    let status: Value = serde_json::from_slice(&run(at, &["status", "--json"]).await.stdout).unwrap();
    assert_eq!(
        (&status["attention"][0]["about"], &status["failing"]),
        (&"xihai".into(), &1.into()),
        "{status:#}"
    );
    let said = words(at, &["status"], 1).await;
    assert!(said.starts_with("what needs attention:\n  西海都市报 cannot be read: 3 × "), "{said}");
    assert!(said.contains("\n    → `feedmill source test xihai` asks it now\n"), "{said}");
    let mut chinese = feedmill(at, &["status"]);
    let said = chinese.env("LC_ALL", "zh_CN.UTF-8").output().unwrap().stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.starts_with("需要处理：\n  西海都市报：读取失败：3 × "), "{said}");
    assert!(said.contains("→ 用 `feedmill source test xihai` 立即试读"), "{said}");
    let mut chinese = feedmill(at, &["doctor"]);
    let said = chinese.env("LC_ALL", "zh_CN.UTF-8").output().unwrap().stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.contains("守护进程: 没有运行") && said.contains("2 个来源"), "{said}");
    let doctor: Value = serde_json::from_slice(&run(at, &["doctor", "--json"]).await.stdout).unwrap();
    let of =
        |what: &str| doctor.as_array().unwrap().iter().find(|look| look["what"] == what).unwrap().clone();
    assert_eq!(of("store")["verdict"], "good", "{doctor:#}");
    assert_eq!(of("config")["verdict"], "good", "{doctor:#}");
}

/// Collects all commands below a command, with their help.
fn commands(words: &[String], found: &mut Vec<(Vec<String>, String)>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_feedmill"));
    let help = command.args(words).arg("--help").env("LC_ALL", "C").env("COLUMNS", "500").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let listed = help.split("Commands:\n").nth(1).unwrap_or_default();
    let names: Vec<String> = listed
        .lines()
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .filter(|name| name != "help")
        .collect();
    if names.is_empty() {
        found.push((words.to_vec(), help));
    }
    for name in names {
        commands(&[words, &[name]].concat(), found);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_has_an_example_and_each_example_runs() {
    let upstream = Upstream::start().await;
    let base = world(&upstream);
    upstream.put(
        "/",
        format!(
            "<html><head><link rel=alternate type=application/rss+xml href={}/new.xml></head>",
            upstream.base
        ),
    );
    upstream.put("/new.xml", rss(&[("n-1", "新", "Tue, 21 Dec 2021 14:00:00 +0800", "<p>x</p>")]));
    let at = base.path();
    json(at, &["poll", "--json"]).await;
    words(at, &["store", "export", &at.join("feedmill.export").to_string_lossy()], 0).await;
    fs::create_dir_all(at.join("old-site/_posts")).unwrap();
    let post = "---\ntitle: \"旧闻\"\ndate: 2021-12-01 08:00:00 +0800\ncategories: jiubao\n---\n<p>旧</p>\n";
    fs::write(at.join("old-site/_posts/2021-12-01-NW202112012200000001.md"), post).unwrap();
    fs::write(
        at.join("subscriptions.opml"),
        "<opml><body><outline xmlUrl='http://127.0.0.1:9/f'/></body></opml>",
    )
    .unwrap();

    let mut all = Vec::new();
    commands(&[], &mut all);
    assert!(all.len() > 35, "{}", all.len());
    let (base, upstream) = (Arc::new(base), Arc::new(upstream));
    let mut ran = BTreeSet::new();
    let mut running = JoinSet::new();
    for (name, help) in all {
        let examples: Vec<&str> = help
            .lines()
            .skip_while(|line| !line.starts_with("Example"))
            .filter_map(|line| line.find("feedmill ").and_then(|from| line.get(from..)))
            .collect();
        assert!(!examples.is_empty(), "`feedmill {}` has no example in its help", name.join(" "));
        for example in examples {
            if !ran.insert(example.to_owned()) {
                continue;
            }
            // Several at a time: starting takes most of the time.
            if running.len() >= AT_ONCE {
                running.join_next().await.unwrap().unwrap();
            }
            let (base, upstream, example) = (Arc::clone(&base), Arc::clone(&upstream), example.to_owned());
            running.spawn(async move { example_runs(base.path(), &upstream, &example).await });
        }
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

async fn example_runs(base: &Path, upstream: &Upstream, example: &str) {
    let home = tempfile::tempdir().unwrap();
    let at = home.path();
    copy(base, at);
    let daemon =
        ["reload", "log", "healthcheck"].iter().any(|word| example.starts_with(&format!("feedmill {word}")));
    if example.starts_with("feedmill healthcheck") {
        // It must know the port beforehand.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let main = text(&at.join("feedmill.toml")).replace("127.0.0.1:0", &port.to_string());
        fs::write(at.join("feedmill.toml"), main).unwrap();
    }
    let mut running = daemon.then(|| Running::start(feedmill(at, &["run"])));
    if let Some(running) = &mut running {
        running.serving();
    }
    let mut line = example
        .replace("https://news.example.org/", &format!("{}/", upstream.base))
        .replace("https://example.org/feed.xml", &format!("{}/new.xml", upstream.base))
        .replace("/etc/feedmill/feedmill.toml", &at.join("feedmill.toml").to_string_lossy());
    if example.starts_with("feedmill demo") {
        line += " --for 1s --port 0";
    }
    if example.starts_with("feedmill source add") {
        line += " --yes";
    }
    let program = Path::new(env!("CARGO_BIN_EXE_feedmill")).parent().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("PATH={}:$PATH; exec {line}", program.display())]).current_dir(at);
    command
        .env("HOME", at)
        .env("FEEDMILL_CONFIG", at.join("feedmill.toml"))
        .env("TMPDIR", at)
        .env("LC_ALL", "C");
    if ["feedmill run", "feedmill serve"].iter().any(|start| example.starts_with(start)) {
        let mut started = Running::start(command);
        started.serving();
        assert_eq!(started.terminate().code(), Some(0), "{line}: {}", started.said);
        return;
    }
    let ended = feedmill::blocking::run_long(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    assert_eq!(ended.status.code(), Some(0), "{line}: {said}");
}

/// Returns the commands in a document: lines of shell blocks and `code` that begin with `feedmill `.
fn commands_of(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut shell = false;
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            shell = kind == "sh";
        } else if shell {
            found.extend(
                line.split("&&")
                    .map(str::trim)
                    .filter(|part| part.starts_with("feedmill "))
                    .map(str::to_owned),
            );
        } else {
            found.extend(
                line.split('`')
                    .skip(1)
                    .step_by(2)
                    .filter(|code| code.starts_with("feedmill "))
                    .map(str::to_owned),
            );
        }
    }
    found
}

/// Splits a command into words as a shell does, without comments.
fn words_of(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, '#' | '|' | '>') => break,
            (None, c) if c.is_whitespace() => words.push(String::new()),
            (_, c) => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_leaves_a_damaged_store_as_it_is_unless_it_is_told_to_mend_it() {
    let upstream = Upstream::start().await;
    let folder = world(&upstream);
    let at = folder.path();
    words(at, &["poll"], 0).await;
    let before = words(at, &["item", "list"], 0).await;
    // A damaged text is found and repaired, and nothing else is lost.
    let text = fs::read_dir(at.join("store/texts")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&text).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&text, &bytes).unwrap();
    assert_eq!(words(at, &["item", "list"], 0).await, before);
    words(at, &["store", "check"], 1).await;
    words(at, &["store", "repair"], 0).await;
    assert_eq!(words(at, &["item", "list"], 0).await, before);
    words(at, &["store", "check"], 0).await;
    // The same with the database.
    fs::File::options().write(true).open(at.join("store/db")).unwrap().set_len(0).unwrap();
    for command in [&["status"][..], &["poll"], &["store", "check"], &["store", "stats"], &["source", "list"]]
    {
        let said = words(at, command, 1).await;
        assert!(said.contains("nothing was mended. `feedmill store repair`"), "{command:?}: {said}");
    }
    assert!(!at.join("store.damaged").exists());
    words(at, &["store", "repair"], 0).await;
    assert!(at.join("store.damaged").exists());
    assert_eq!(words(at, &["item", "list"], 0).await, before, "from what is published");
}

#[test]
fn every_command_in_the_documents_is_one() {
    use clap::Parser;
    use clap::error::ErrorKind as Kind;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md"), root.join("packaging/debian/preinst")];
    for folder in ["docs", "docs/decisions"] {
        files.extend(fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()));
    }
    files.retain(|path| path.is_file());
    let (mut all, mut bad) = (0, Vec::new());
    for path in files {
        for command in commands_of(&text(&path)) {
            all += 1;
            let words = words_of(&command);
            if command == "feedmill export 1" {
                // The first line of a backup, as shown in its documentation.
                continue;
            }
            let Err(error) = feedmill::cli::Cli::try_parse_from(&words) else { continue };
            // Some examples leave arguments out, or have a placeholder in their place.
            let told = [
                Kind::DisplayHelp,
                Kind::DisplayHelpOnMissingArgumentOrSubcommand,
                Kind::MissingRequiredArgument,
                Kind::MissingSubcommand,
                Kind::ValueValidation,
            ];
            if !told.contains(&error.kind()) {
                bad.push(format!("{}: {command}: {error}", path.display()));
            }
        }
    }
    assert!(all > 100, "{all}");
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// Creates an old site of 400 posts.
fn old_site(at: &Path) -> String {
    let posts = at.join("old-site/_posts");
    fs::create_dir_all(&posts).unwrap();
    for n in 0..400 {
        let post = format!(
            "---\ntitle: \"旧闻{n}\"\ndate: 2021-12-01 08:00:00 +0800\ncategories: jiubao\n---\n<p>{}</p>\n",
            "旧".repeat(2_000)
        );
        fs::write(posts.join(format!("2021-12-01-NW2021120122{n:08}.md")), post).unwrap();
    }
    at.join("old-site").to_string_lossy().into_owned()
}

/// Runs a command and sends it a signal once `begun` returns `true`; returns its exit code, if it had one.
fn interrupted(at: &Path, arguments: &[&str], signal: &str, begun: impl Fn() -> bool) -> Option<i32> {
    let mut running = feedmill(at, arguments).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    while !begun() && running.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    // It may have ended by itself.
    let _ = Command::new("kill").args([&format!("-{signal}"), &running.id().to_string()]).output().unwrap();
    running.wait().unwrap().code()
}

async fn is_whole(at: &Path, items: usize, after: &str) {
    let faults = json(at, &["store", "check", "--json"]).await["faults"].as_u64();
    assert_eq!(faults, Some(0), "{after}");
    let listed = json(at, &["item", "list", "--limit", "1000", "--json"]).await;
    assert_eq!(listed.as_array().unwrap().len(), items, "{after}");
}

/// What was done before the interruption stays, the next run does the rest, and nothing is done twice.
#[tokio::test(flavor = "multi_thread")]
async fn long_work_may_be_interrupted_and_goes_on() {
    let upstream = Upstream::start().await;
    let folder = world(&upstream);
    let at = folder.path();
    let site = old_site(at);
    for signal in ["INT", "TERM", "KILL"] {
        // As soon as something is stored.
        let stored = || fs::metadata(at.join("store/db")).is_ok_and(|meta| meta.len() > 0);
        interrupted(at, &["import", "jekyll", &site], signal, stored);
    }
    let report = json(at, &["import", "jekyll", &site, "--json"]).await;
    let (new, known) = (report["imported"].as_u64().unwrap(), report["known"].as_u64().unwrap());
    assert_eq!(new + known, 400, "{report:#}");
    let again = json(at, &["import", "jekyll", &site, "--json"]).await;
    assert_eq!((&again["imported"], &again["known"]), (&0.into(), &400.into()), "{again:#}");
    is_whole(at, 400, "import jekyll").await;
}

/// Returns whether a command has begun the work in which it is to be interrupted.
type Begun<'a> = Box<dyn Fn() -> bool + 'a>;

/// After an interruption of any other long command, the store is intact and the same command succeeds.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_interrupted_leaves_a_whole_store() {
    let upstream = Upstream::start().await;
    let folder = world(&upstream);
    let at = folder.path();
    let site = old_site(at);
    json(at, &["import", "jekyll", &site, "--json"]).await;
    let (export, lines) = (at.join("a.export"), at.join("a.jsonl"));
    let (export, lines) = (export.to_str().unwrap(), lines.to_str().unwrap());
    json(at, &["store", "export", export, "--json"]).await;
    let old = fs::read(export).unwrap();
    fs::write(
        at.join("sources.d/rule.toml"),
        "[[rule]]\nname = \"old\"\naction = \"tag\"\nto = \"旧\"\ncontains = \"旧闻\"\n",
    )
    .unwrap();
    let is_there = |name: &str| at.join(name).exists();
    let written = |name: &'static str| {
        move || fs::read_dir(at).unwrap().flatten().any(|e| e.file_name().to_string_lossy().contains(name))
    };
    for (arguments, begun) in [
        (&["store", "compact"][..], Box::new(|| is_there("store.new")) as Begun<'_>),
        (&["store", "export", export], Box::new(written("a.export."))),
        (&["store", "export", lines, "--lines"], Box::new(written("a.jsonl"))),
        (&["store", "import", export, "--replace"], Box::new(|| is_there("store.new"))),
        (&["publish"], Box::new(|| is_there("public/feed"))),
        (&["reroute"], Box::new(|| true)),
        (&["store", "check"], Box::new(|| true)),
    ] {
        for signal in ["INT", "TERM", "KILL"] {
            let code = interrupted(at, arguments, signal, &begun);
            assert_ne!(code, Some(101), "{arguments:?}: it broke");
            is_whole(at, 400, &format!("{arguments:?}, {signal}")).await;
        }
        // An existing file is the old one or the new one, never a part.
        if arguments.contains(&export) {
            assert!(fs::read(export).unwrap().len().abs_diff(old.len()) < old.len() / 10, "{arguments:?}");
        }
        words(at, arguments, 0).await;
        assert!(!is_there("store.new"), "{arguments:?}");
        is_whole(at, 400, &format!("{arguments:?}, to its end")).await;
    }
    // A file that cannot be imported leaves nothing behind, and the store as it was.
    fs::write(export, &old[..old.len() / 2]).unwrap();
    words(at, &["store", "import", export, "--replace"], 1).await;
    assert!(!is_there("store.new"));
    is_whole(at, 400, "half an export").await;
}

/// systemd passes credentials in a folder that it names, which nobody else may read.
#[tokio::test(flavor = "multi_thread")]
async fn secrets_may_be_credentials_of_systemd() {
    let upstream = Upstream::start().await;
    let folder = world(&upstream);
    let at = folder.path();
    let credentials = at.join("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::write(credentials.join("hook"), "s3cret\n").unwrap();
    fs::write(credentials.join("token"), "Bearer t0ken\n").unwrap();
    let main = text(&at.join("feedmill.toml"));
    let hook = format!("[[webhook]]\nurl = \"{}/hook\"\nsecret_file = \"hook\"\n", upstream.base);
    fs::write(at.join("feedmill.toml"), format!("{main}{hook}")).unwrap();
    let paper = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/feed", paper.local_addr().unwrap());
    let source = format!(
        "[[source]]\nurl = \"{address}\"\ncategory = \"青海日报\"\nsecret_headers = {{ Authorization = \"token\" }}\n"
    );
    fs::write(at.join("sources.d/qinghai.toml"), source).unwrap();

    let without = words(at, &["check"], 2).await;
    assert!(without.contains("no secret can be read in") && without.contains("LoadCredential="), "{without}");
    let with = |arguments: &[&str]| {
        let ended = feedmill(at, arguments).env("CREDENTIALS_DIRECTORY", &credentials).output().unwrap();
        let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {said}");
        assert!(!said.contains("s3cret") && !said.contains("t0ken"), "{arguments:?}: {said}");
    };
    with(&["check"]);
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = paper.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
        let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        let body = rss(&[("q-1", "数字金融", "Tue, 21 Dec 2021 14:00:00 +0800", TEXT)]);
        let length = body.len();
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
            .unwrap();
        head
    });
    with(&["poll", "qinghai", "--json"]);
    let head = asked.join().unwrap();
    assert!(head.iter().any(|line| line.eq_ignore_ascii_case("authorization: Bearer t0ken")), "{head:?}");
    with(&["source", "list", "--json"]);
    // A source that needs a secret is not listed for subscribers.
    let feed = text(&at.join("public/feed/qinghairibao.xml"));
    assert!(feed.contains("数字金融") && !feed.contains(&address), "{feed}");
}
