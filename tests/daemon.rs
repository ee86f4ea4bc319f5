//! Promise: the real program runs as one daemon; every command works beside it, a second daemon is refused
//! with a message, and it ends cleanly when it is stopped.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

#[path = "support/program.rs"]
mod program;
mod support;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use program::{PATIENCE, Running, feedmill, json, run};
use serde_json::Value;
use support::{Upstream, ask, get, rss};
use tempfile::TempDir;

/// Creates a folder with a config; the upstream serves the source's items.
fn folder(upstream: &Upstream) -> TempDir {
    upstream.put(
        "/xihai.xml",
        rss(&[
            ("NW202112212221043837", "数字金融", "Tue, 21 Dec 2021 13:55:07 +0800", "<p>党建引领</p>"),
            ("NW202112212221043838", "青海湖", "Tue, 21 Dec 2021 10:00:00 +0800", "<p>短讯</p>"),
        ]),
    );
    let folder = tempfile::tempdir().unwrap();
    let main = format!(
        "[site]\ncode_space = \"eastmoney\"\n[store]\npath = \"store\"\ncache = \"8MiB\"\n\
         [output]\npath = \"public\"\n[serve]\nlisten = \"127.0.0.1:0\"\n[control]\nsocket = \"control.sock\"\n\
         [status]\nlisten = \"127.0.0.1:0\"\n[fetch]\nallow = [\"127.0.0.0/8\"]\n\
         [[source]]\nid = \"xihai\"\nurl = \"{}/xihai.xml\"\ncategory = \"西海都市报\"\ncode_space = \"eastmoney\"\n\
         [source.code]\nfrom = \"guid\"\n",
        upstream.base
    );
    fs::write(folder.path().join("feedmill.toml"), main).unwrap();
    folder
}

/// Requests pages until the first poll is published.
async fn published(at: SocketAddr) -> String {
    let since = Instant::now();
    loop {
        let feed = get(at, "/feed/xihaidushibao.xml").await;
        if feed.status == 200 && feed.text().contains("青海湖") {
            return feed.text();
        }
        assert!(since.elapsed() < PATIENCE, "nothing is published: {}", feed.text());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_on_is_shown_beside_the_site() {
    let upstream = Upstream::start().await;
    let folder = folder(&upstream);
    let mut daemon = Running::start(feedmill(folder.path(), &["run"]));
    let shown = loop {
        let line = daemon.line().expect("it runs");
        if let Some((_, rest)) = line.split_once("shown on http://") {
            break rest.split('/').next().unwrap().parse::<SocketAddr>().unwrap();
        }
    };
    let site = daemon.serving();
    published(site).await;
    assert_eq!(get(shown, "/healthz").await.text(), "ok\n");
    let ready = get(shown, "/readyz").await;
    assert_eq!((ready.status, ready.text().as_str()), (200, "ready\n"));
    let numbers = get(shown, "/metrics").await;
    assert_eq!(numbers.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let numbers = numbers.text();
    for line in [
        "feedmill_ready 1",
        "feedmill_polls_total{source=\"xihai\",outcome=\"document\"} 1",
        "feedmill_items_total{source=\"xihai\",decision=\"inserted\"} 2",
        "feedmill_store_items 2",
    ] {
        assert!(numbers.lines().any(|known| known == line), "{line}: {numbers}");
    }
    assert!(numbers.contains("feedmill_http_responses_total{code=\"200\"} "), "{numbers}");
    let page = get(shown, "/").await;
    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(page.text().contains("一切正常") && page.text().contains("<svg"), "{}", page.text());
    assert!(get(shown, "/style.css").await.text().contains(".charts"));
    let feed = get(shown, "/troubles.xml").await;
    assert_eq!((feed.status, feed.text().matches("<entry>").count()), (200, 0));
    assert_eq!(ask(shown, "GET", "/metrics", &[("x", "1")]).await.status, 200);
    // The site itself does not serve these.
    for path in ["/metrics", "/readyz", "/troubles.xml"] {
        assert_eq!(get(site, path).await.status, 404, "{path}");
    }
    assert!(daemon.terminate().success(), "{}", daemon.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_works_beside_the_daemon() {
    let upstream = Upstream::start().await;
    let folder = folder(&upstream);
    let at = folder.path();
    let mut daemon = Running::start(feedmill(at, &["run"]));
    let address = daemon.serving();
    assert!(published(address).await.contains("党建引领"));

    let items = json(at, &["item", "list", "--json"]).await;
    let codes: Vec<&str> =
        items.as_array().unwrap().iter().map(|i| i["info_code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["NW202112212221043837", "NW202112212221043838"], "newest first");
    assert_eq!(items[0]["published"], "2021-12-21T05:55:07Z");
    let of = json(at, &["item", "list", "--category", "xihaidushibao", "--limit", "1", "--json"]).await;
    assert_eq!((of.as_array().unwrap().len(), &of[0]["title"]), (1, &"数字金融".into()));
    let item = json(at, &["item", "show", "NW202112212221043837", "--json"]).await;
    assert_eq!((&item["title"], &item["body"]["html"]), (&"数字金融".into(), &"<p>党建引领</p>".into()));
    assert_eq!(item["item"]["updated"], "2021-12-21T05:55:07Z");
    let found = json(at, &["item", "find", "青海", "--json"]).await;
    assert_eq!(found.as_array().unwrap().len(), 1, "{found:#}");
    let sources = json(at, &["source", "list", "--json"]).await;
    assert_eq!((&sources[0]["id"], &sources[0]["items"]), (&"xihai".into(), &2.into()), "{sources:#}");
    assert_eq!((&sources[0]["fails"], &sources[0]["last_error"]), (&0.into(), &Value::Null));
    let categories = json(at, &["category", "list", "--json"]).await;
    assert_eq!((&categories[0]["slug"], &categories[0]["items"]), (&"xihaidushibao".into(), &2.into()));
    let publish = json(at, &["publish", "--json"]).await;
    assert_eq!((&publish["written"], &publish["removed"]), (&0.into(), &0.into()), "{publish:#}");

    // A round by hand stores the new article, and it is served.
    upstream.put(
        "/xihai.xml",
        rss(&[("NW202112212221043839", "新一则", "Wed, 22 Dec 2021 10:00:00 +0800", "<p>新</p>")]),
    );
    let round = json(at, &["poll", "--json"]).await;
    assert_eq!(
        (&round["polls"][0]["inserted"], &round["polls"][0]["error"]),
        (&1.into(), &Value::Null),
        "{round:#}"
    );
    assert!(get(address, "/feed/xihaidushibao.xml").await.text().contains("新一则"));

    // The same as tables for people; a missing item is an error with a message.
    for (arguments, word) in [
        (&["item", "list"][..], "新一则"),
        (&["source", "list"], "xihai"),
        (&["category", "list"], "西海都市报"),
        (&["item", "show", "NW202112212221043839"], "title       新一则"),
        (&["item", "find", "金融"], "NW202112212221043837"),
        (&["poll", "xihai"], "published: "),
        (&["publish"], "published: "),
    ] {
        let ended = run(at, arguments).await;
        let text = String::from_utf8(ended.stdout).unwrap();
        assert!(ended.status.success() && text.contains(word), "{arguments:?}: {text}");
    }
    for (arguments, word) in [
        (&["item", "show", "NW1"][..], "there is no item with this code"),
        (&["item", "list", "--category", "nothing"], "there is no category `nothing`"),
        (&["poll", "nobody"], "there is no source `nobody`"),
        (&["import", "jekyll", "no-such-folder"], "no-such-folder"),
    ] {
        let ended = run(at, arguments).await;
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(word), "{arguments:?}: {said}");
    }

    // An old site is imported while the daemon runs.
    let old = tempfile::tempdir().unwrap();
    let post = "---\ntitle: \"旧闻\"\ndate: 2021-12-01 08:00:00 +0800\ncategories: jiubao\ntags: 旧报新闻\n---\n<p>旧</p>\n\n<http://x.example/1>\n";
    fs::write(old.path().join("2021-12-01-NW202112012200000001.md"), post).unwrap();
    let report = json(at, &["import", "jekyll", old.path().to_str().unwrap(), "--json"]).await;
    assert_eq!((&report["imported"], &report["paths"]), (&1.into(), &1.into()), "{report:#}");
    let old = ask(address, "HEAD", "/jiubao/2021/12/01/NW202112012200000001.html", &[]).await;
    assert!(old.body.is_empty() && old.header("content-type").starts_with("text/html"), "{old:?}");
    assert_eq!(old.status, 200);

    let status = daemon.terminate();
    assert_eq!(status.code(), Some(0), "{}", daemon.said);
    assert!(!at.join("control.sock").exists(), "the socket goes with the daemon");
    // Without it the same commands open the store themselves.
    let items = json(at, &["item", "list", "--json"]).await;
    assert_eq!(items.as_array().unwrap().len(), 4, "nothing was lost: {items:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_is_refused_in_words() {
    let folder = folder(&Upstream::start().await);
    let at = folder.path();
    let mut daemon = Running::start(feedmill(at, &["run"]));
    let address = daemon.serving();
    for command in ["run", "serve"] {
        let since = Instant::now();
        let ended = run(at, &[command]).await;
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{command}: {said}");
        assert!(
            said.contains("error: the store") && said.contains("in use by another process"),
            "{command}: {said}"
        );
        assert!(said.contains("lock"), "{command}: {said}");
        assert!(since.elapsed() < Duration::from_secs(10), "{command}: {:?}", since.elapsed());
    }
    // The first daemon is not disturbed: its socket and its server answer.
    assert!(at.join("control.sock").exists());
    json(at, &["source", "list", "--json"]).await;
    published(address).await;
    assert_eq!(daemon.terminate().code(), Some(0), "{}", daemon.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_daemon_commands_do_the_work_themselves() {
    let upstream = Upstream::start().await;
    let folder = folder(&upstream);
    let at = folder.path();
    assert_eq!(json(at, &["item", "list", "--json"]).await, Value::Array(Vec::new()));
    let round = json(at, &["poll", "--no-publish", "--json"]).await;
    assert_eq!((&round["polls"][0]["inserted"], round.get("published")), (&2.into(), None), "{round:#}");
    assert!(!at.join("public/feed/xihaidushibao.rss").exists(), "nothing is published");
    let ended = run(at, &["poll", "--no-publish"]).await;
    let said = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success() && said.contains("nothing was published"), "{said}");
    let round = json(at, &["poll", "--json"]).await;
    assert_ne!(round["published"]["written"], 0, "{round:#}");
    assert!(at.join("public/feed/xihaidushibao.rss").is_file(), "a round is published");
    assert_eq!(json(at, &["item", "list", "--json"]).await.as_array().unwrap().len(), 2);
    // A socket that a crash left behind does not count as a daemon.
    drop(std::os::unix::net::UnixListener::bind(at.join("control.sock")).unwrap());
    assert!(at.join("control.sock").exists());
    assert_eq!(json(at, &["category", "list", "--json"]).await[0]["slug"], "xihaidushibao");
    // `serve` alone serves the outputs and answers commands; it does not poll.
    let mut server = Running::start(feedmill(at, &["serve"]));
    let address = server.serving();
    assert!(published(address).await.contains("党建引领"));
    assert_eq!(json(at, &["item", "list", "--json"]).await.as_array().unwrap().len(), 2);
    assert_eq!(server.terminate().code(), Some(0), "{}", server.said);
    assert!(!at.join("control.sock").exists());
    // A failing source sets the exit code, and empties nothing.
    upstream.put("/xihai.xml", "<html></html>");
    let ended = run(at, &["poll", "--json"]).await;
    assert_eq!(ended.status.code(), Some(1));
    let round: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert!(round["polls"][0]["error"].as_str().unwrap().contains("not a feed"), "{round:#}");
    assert!(fs::read_to_string(at.join("public/feed/xihaidushibao.rss")).unwrap().contains("青海湖"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_serves_and_ends_by_itself() {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_feedmill"));
    command.args(["demo", "--for", "3s", "--port", "0"]).current_dir(home.path()).env("TMPDIR", home.path());
    command.env_remove("FEEDMILL_LOG").env_remove("FEEDMILL_CONFIG").env("RUST_BACKTRACE", "0");
    let mut demo = Running::start(command);
    let address = demo.address("http://");
    let page = get(address, "/").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("feedmill 演示"), "{}", page.text());
    assert_eq!(get(address, "/feed.xml").await.header("content-type"), "application/atom+xml; charset=utf-8");
    let status = demo.end();
    assert_eq!(status.code(), Some(0), "{}", demo.said);
    assert!(demo.said.contains("the demo has ended"), "{}", demo.said);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "it leaves nothing behind");
}

/// Requests a page until it contains a word.
async fn says(at: SocketAddr, path: &str, word: &str) {
    let since = Instant::now();
    while !get(at, path).await.text().contains(word) {
        assert!(since.elapsed() < PATIENCE, "{path} never says {word}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn change(folder: &Path, from: &str, to: &str) {
    let path = folder.join("feedmill.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(&path, text.replace(from, to)).unwrap();
}

/// Returns the output of a command, which must end with `code`.
async fn words(folder: &Path, arguments: &[&str], code: i32) -> String {
    let ended = run(folder, arguments).await;
    let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    assert_eq!(ended.status.code(), Some(code), "{arguments:?}: {said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn another_config_is_used_whole_or_not_at_all() {
    let upstream = Upstream::start().await;
    let folder = folder(&upstream);
    let at = folder.path();
    let mut daemon = Running::start(feedmill(at, &["run"]));
    let address = daemon.serving();
    published(address).await;
    assert!(words(at, &["reload"], 0).await.contains("says what the one in use says"));

    // With faults, empty, and missing: the old config stays in use, and the reason is reported.
    let good = fs::read_to_string(at.join("feedmill.toml")).unwrap();
    for (bad, word) in [
        (good.replace("[site]", "[site]\ntitel = \"x\""), "unknown key `titel`"),
        (good.replace("path = \"store\"", "path = \"elsewhere\""), "`store.path` cannot change"),
    ] {
        fs::write(at.join("feedmill.toml"), bad).unwrap();
        let said = words(at, &["reload"], 1).await;
        assert!(said.contains("the old one stays in use") && said.contains(word), "{said}");
        assert!(
            words(at, &["status"], 1).await.contains("config refused"),
            "the daemon is asked all the same"
        );
        published(address).await;
    }

    fs::write(at.join("feedmill.toml"), "").unwrap();
    daemon.signal("HUP");
    while !daemon.line().unwrap().contains("has nothing in it") {}
    published(address).await;

    // Put right again, it is in use, and nothing needs attention.
    fs::write(at.join("feedmill.toml"), &good).unwrap();
    let since = Instant::now();
    while run(at, &["status"]).await.status.code() != Some(0) {
        assert!(since.elapsed() < PATIENCE, "{}", words(at, &["status"], 1).await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    // A good config is used automatically, a moment after it was written; readers lose nothing.
    fs::write(at.join("feedmill.toml"), good.replace("[site]", "[site]\ntitle = \"新的名字\"")).unwrap();
    says(address, "/", "新的名字").await;

    // A config that would lose items waits until it is accepted; items that would move are listed.
    change(
        at,
        "[source.code]",
        "[[source.rule]]\nname = \"money\"\ncontains = [\"金融\"]\naction = \"drop\"\n[source.code]",
    );
    let held = words(at, &["reload"], 1).await;
    assert!(held.contains("xihai: 1 items of its last answer would vanish:\n    数字金融"), "{held}");
    let refused: Value = serde_json::from_slice(&run(at, &["reload", "--json"]).await.stdout).unwrap();
    assert_eq!((&refused["outcome"], &refused["trials"][0]["vanish"]), (&"held".into(), &1.into()));
    assert!(words(at, &["reload", "--accept"], 0).await.contains("  rules\n"));
    change(at, "category = \"西海都市报\"", "category = [\"青海日报\", \"西海都市报\"]");
    let moved = words(at, &["reload"], 0).await;
    assert!(moved.contains("xihai: 1 items would go to qinghairibao xihaidushibao"), "{moved}");

    // The items of a removed source stay; a new listen address is used.
    let end = good.find("[[source]]").unwrap();
    fs::write(at.join("feedmill.toml"), &good[..end]).unwrap();
    let gone = words(at, &["reload"], 0).await;
    assert!(gone.contains("removed (its items stay): xihai"), "{gone}");
    published(address).await;
    assert_eq!(daemon.terminate().code(), Some(0), "{}", daemon.said);

    // A start with a faulty config uses the last good one.
    fs::write(at.join("feedmill.toml"), "[site\ntitle = 1\n[store]\npath = \"store\"\n").unwrap();
    let mut daemon = Running::start(feedmill(at, &["run"]));
    let address = daemon.serving();
    assert!(daemon.said.contains("the last good one is used"), "{}", daemon.said);
    published(address).await;
    fs::write(at.join("feedmill.toml"), good.replace("[site]", "[site]\ntitle = \"wieder da\"")).unwrap();
    says(address, "/", "wieder da").await;
    assert_eq!(daemon.terminate().code(), Some(0), "{}", daemon.said);
    // Without a good one, the daemon does not start.
    fs::remove_dir_all(at.join("store")).unwrap();
    fs::write(at.join("feedmill.toml"), "[site").unwrap();
    assert_eq!(run(at, &["run"]).await.status.code(), Some(2));
}

/// Returns what a program sends to systemd, one datagram after the other, until one contains `word`.
fn told(notify: &std::os::unix::net::UnixDatagram, word: &str) -> String {
    let mut bytes = [0; 4096];
    loop {
        let length = notify.recv(&mut bytes).unwrap_or_else(|error| panic!("nobody says {word}: {error}"));
        let said = String::from_utf8_lossy(&bytes[..length]).into_owned();
        if said.contains(word) {
            return said;
        }
    }
}

/// The test plays systemd's part: it keeps the listening socket open, reads the messages, and restarts the
/// daemon.
#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_told_and_its_socket_outlives_a_restart() {
    let upstream = Upstream::start().await;
    let folder = folder(&upstream);
    let at = folder.path();
    let notify = std::os::unix::net::UnixDatagram::bind(at.join("notify.sock")).unwrap();
    notify.set_read_timeout(Some(PATIENCE)).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let start = || {
        let mut command = Command::new("sh");
        let open = r#"LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" run --config "$1" 3<&0 </dev/null"#;
        command.args(["-c", open, env!("CARGO_BIN_EXE_feedmill")]).arg(at.join("feedmill.toml"));
        command.stdin(std::os::fd::OwnedFd::from(listener.try_clone().unwrap()));
        command.env("NOTIFY_SOCKET", at.join("notify.sock")).env("WATCHDOG_USEC", "1500000");
        Running::start(command)
    };
    let mut daemon = start();
    assert!(told(&notify, "READY=1").contains("\nSTATUS="));
    published(address).await;
    assert_eq!(daemon.serving(), address, "the config has no say");

    daemon.signal("HUP");
    assert!(told(&notify, "RELOADING=1").contains("MONOTONIC_USEC="));
    told(&notify, "READY=1");
    fs::write(at.join("feedmill.toml"), fs::read_to_string(at.join("feedmill.toml")).unwrap() + "x = 1\n")
        .unwrap();
    daemon.signal("HUP");
    told(&notify, "RELOADING=1");
    assert!(told(&notify, "READY=1").contains("config refused"), "the reason is seen in `systemctl status`");
    told(&notify, "WATCHDOG=1");
    told(&notify, "WATCHDOG=1");
    // A process that hangs does not feed the watchdog: systemd would end it.
    daemon.signal("STOP");
    notify.set_read_timeout(Some(Duration::from_millis(1600))).unwrap();
    let mut bytes = [0; 4096];
    while notify.recv(&mut bytes).is_ok() {}
    daemon.signal("CONT");
    notify.set_read_timeout(Some(PATIENCE)).unwrap();
    told(&notify, "WATCHDOG=1");

    assert_eq!(daemon.terminate().code(), Some(0), "{}", daemon.said);
    told(&notify, "STOPPING=1");
    // A client that connects while no daemon runs waits for the next one, and loses nothing.
    let waiting = tokio::spawn(async move { get(address, "/feed/xihaidushibao.xml").await });
    let mut daemon = start();
    told(&notify, "READY=1");
    assert_eq!(waiting.await.unwrap().status, 200);
    assert_eq!(daemon.terminate().code(), Some(0), "{}", daemon.said);
}
