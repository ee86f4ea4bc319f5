//! Reads the sections of the main file, and assembles the [`Config`].

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;

use super::poll::Poll;
use super::reader::Reader;
use super::site::{Fixed, check_fixed, id_authority, site_url, theme, user_agent};
use super::sources::Found;
use super::values::{count, flag, path, space, text, tidy, zone};
use super::{CategorySettings, Config, Exports, StatusOptions, categories, poll};
use crate::fetch::FetchOptions;
use crate::ingest::{AutoCategories, IngestOptions, LastAnswers};
use crate::model::CodeSpace;
use crate::notify::Webhook;
use crate::publish::{
    Articles, Combined, JekyllOptions, JsonLinesOptions, Pictures, PublishOptions, SiteOptions, WindowOptions,
};
use crate::render::html::ThemeParts;
use crate::render::jekyll::JekyllStyle;
use crate::rules::{Rule, Rules};
use crate::serve::ServeOptions;
use crate::store::{Retention, StoreOptions};

/// The words for how pages show pictures.
const PICTURES: [(&str, Pictures); 3] =
    [("origin", Pictures::Origin), ("link", Pictures::Link), ("none", Pictures::None)];
/// The default interval between exports.
const EXPORT_EVERY: Duration = Duration::from_hours(24);

/// The main file's sections, before the sources are read.
#[derive(Debug)]
pub(super) struct Sections {
    pub(super) poll: Poll,
    pub(super) contact: Option<String>,
    pub(super) categories: Vec<CategorySettings>,
    pub(super) webhooks: Vec<Webhook>,
    /// Combined feeds of several categories.
    pub(super) combined: Vec<Combined>,
    /// The rules of the mill and of categories.
    pub(super) rules: Vec<Rule>,
    site: SiteOptions,
    windows: WindowOptions,
    fixed: Fixed,
    code_space: Option<CodeSpace>,
    auto: AutoCategories,
    store: StoreOptions,
    exports: Exports,
    retention: Retention,
    output: PathBuf,
    static_files: Option<PathBuf>,
    articles: Articles,
    precompress: bool,
    corrections: bool,
    jekyll: Option<JekyllOptions>,
    json_lines: Option<JsonLinesOptions>,
    listen: Option<SocketAddr>,
    serve: ServeOptions,
    status: StatusOptions,
    socket: PathBuf,
    fetch: FetchOptions,
}

/// Reads all sections but sources and categories; paths are relative to `folder`. A `kept` theme is used
/// without reading the theme's folder.
pub(super) fn read(main: &mut Reader, folder: &Path, kept: Option<&Arc<ThemeParts>>) -> Sections {
    let mut site = main.section("site");
    let (url, url_place) = site_url(&mut site);
    let zone = zone(&mut site, "timezone").unwrap_or(Tz::Asia__Shanghai);
    let contact = text(&mut site, "contact");
    let fixed = id_authority(&mut site, &url, url_place);
    let code_space = site.string("code_space").filter(|v| !v.value.is_empty()).and_then(|v| space(&site, &v));
    let language = text(&mut site, "language").unwrap_or_else(|| "zh-CN".to_owned());
    let theme = theme(&mut site, folder, &language, kept);
    let site_options = SiteOptions {
        title: text(&mut site, "title").unwrap_or_else(|| "feedmill".to_owned()),
        description: text(&mut site, "description").unwrap_or_default(),
        language,
        indexing: flag(&mut site, "indexing", false),
        pictures: site.choice("pictures", &PICTURES).map_or(Pictures::Origin, |v| v.value),
        theme: theme.as_ref().map(|(_, parts)| Arc::clone(parts)).unwrap_or_default(),
        theme_folder: theme.map(|(folder, _)| folder),
        footer: text(&mut site, "footer"),
        rights: text(&mut site, "rights"),
        contact: contact.clone(),
        url,
        zone,
        id_authority: fixed.id_authority.clone(),
        code_space: code_space.clone(),
        user_agent: user_agent(contact.as_deref()),
    };
    site.finish();
    let mut sections = Sections {
        poll: poll::read(main, zone),
        contact,
        categories: Vec::new(),
        rules: Vec::new(),
        combined: Vec::new(),
        webhooks: Vec::new(),
        site: site_options,
        windows: WindowOptions::default(),
        fixed,
        code_space,
        auto: AutoCategories::Hold,
        store: StoreOptions::plain(Path::new(""), 64 << 20),
        exports: Exports::default(),
        retention: Retention::default(),
        output: PathBuf::new(),
        static_files: None,
        articles: Articles::OnRequest,
        precompress: false,
        corrections: false,
        jekyll: None,
        json_lines: None,
        listen: None,
        serve: ServeOptions::default(),
        status: StatusOptions { listen: None, chosen: false },
        socket: PathBuf::new(),
        fetch: FetchOptions::default(),
    };
    sections.read_store(main, folder);
    let space = sections.code_space.as_ref().map_or("", |space| space.as_str());
    check_fixed(main, &sections.store.path, &sections.fixed, space);
    sections.read_output(main, folder, zone);
    sections.read_fetch(main);
    let mut routing = main.section("categories");
    let words = [("yes", AutoCategories::Yes), ("hold", AutoCategories::Hold), ("no", AutoCategories::No)];
    sections.auto = routing.choice("auto", &words).map_or(AutoCategories::Hold, |v| v.value);
    routing.finish();
    sections
}

impl Sections {
    fn read_store(&mut self, main: &mut Reader, folder: &Path) {
        let mut store = main.section("store");
        let folder_of_exports = path(&mut store, "exports", folder, "../data/exports");
        self.store = StoreOptions {
            path: path(&mut store, "path", folder, "../data/store"),
            cache: store.size("cache").map_or(64 << 20, |v| v.value.max(1 << 20)),
            ballast: store.size("ballast").map_or(16 << 20, |v| v.value.min(1 << 30)),
            low_water: store.size("low_water").map_or(32 << 20, |v| v.value.max(4 << 20)),
            exports: Some(folder_of_exports.clone()),
        };
        self.exports = Exports {
            folder: folder_of_exports,
            every: store.duration("export_every").map_or(EXPORT_EVERY, |v| v.value),
            keep: store.integer_in("keep_exports", 0..=1_000).map_or(3, |v| v.value).unsigned_abs(),
        };
        store.finish();
        let mut retention = main.section("retention");
        self.retention = categories::retention_of(&mut retention, "items", "age");
        retention.finish();
        let mut serve = main.section("serve");
        self.listen = listen(&mut serve, 8_640).map(|(address, _)| address);
        let defaults = ServeOptions::default();
        self.serve = ServeOptions {
            cache: serve.size("cache").map_or(defaults.cache, |v| v.value.max(1 << 20)),
            connections: count(&mut serve, "connections", 16..=65_000, defaults.connections),
        };
        serve.finish();
        let mut status = main.section("status");
        let address = listen(&mut status, 8_641);
        self.status = StatusOptions {
            listen: address.map(|(address, _)| address),
            chosen: address.is_some_and(|(_, chosen)| chosen),
        };
        status.finish();
        let mut control = main.section("control");
        self.socket = path(&mut control, "socket", folder, "../data/control.sock");
        control.finish();
    }

    fn read_output(&mut self, main: &mut Reader, folder: &Path, zone: Tz) {
        let mut output = main.section("output");
        self.output = path(&mut output, "path", folder, "../data/public");
        self.static_files = text(&mut output, "static").map(|v| tidy(&folder.join(v)));
        let words = [("on-request", Articles::OnRequest), ("files", Articles::Files)];
        self.articles = output.choice("articles", &words).map_or(Articles::OnRequest, |v| v.value);
        self.precompress = flag(&mut output, "precompress", false);
        self.corrections = flag(&mut output, "corrections", false);
        let mut window = output.section("window");
        let defaults = WindowOptions::default();
        self.windows = WindowOptions {
            items: count(&mut window, "items", 1..=500, defaults.items),
            age: window.duration("age").map_or(defaults.age, |v| v.value),
            most: count(&mut window, "most", 1..=5_000, defaults.most),
            max_bytes: window.size("max_size").map_or(defaults.max_bytes, |v| v.value),
            full_bytes: window.size("full_size").map_or(defaults.full_bytes, |v| v.value),
            site_items: count(&mut window, "site_items", 1..=500, defaults.site_items),
            per_source: count(&mut window, "per_source", 0..=500, defaults.per_source),
        };
        window.finish();
        if let Some(mut jekyll) = output.table("jekyll") {
            let dir = path(&mut jekyll, "path", folder, "../data/jekyll");
            let style = JekyllStyle {
                zone,
                tag_suffix: text(&mut jekyll, "tag_suffix").unwrap_or_default(),
                footer: text(&mut jekyll, "footer").unwrap_or_default(),
                layout: text(&mut jekyll, "layout").unwrap_or_else(|| "post".to_owned()),
            };
            let tags =
                jekyll.string_map("tags").into_iter().map(|(slug, tag)| (slug.value, tag.value)).collect();
            self.jekyll = Some(JekyllOptions { path: dir, style, tags });
            jekyll.finish();
        }
        if let Some(mut lines) = output.table("json_lines") {
            let path = path(&mut lines, "path", folder, "../data/json-lines");
            self.json_lines = Some(JsonLinesOptions { path });
            lines.finish();
        }
        output.finish();
    }

    fn read_fetch(&mut self, main: &mut Reader) {
        let mut fetch = main.section("fetch");
        let own = text(&mut fetch, "user_agent");
        let defaults = FetchOptions::default();
        self.fetch = FetchOptions {
            user_agent: own.unwrap_or_else(|| self.site.user_agent.clone()),
            timeout: fetch.duration("timeout").map_or(defaults.timeout, |v| v.value),
            connect_timeout: fetch.duration("connect_timeout").map_or(defaults.connect_timeout, |v| v.value),
            max_body: fetch.size("max_body").map_or(defaults.max_body, |v| v.value.max(1 << 10)),
            max_bodies: fetch.size("max_bodies").map_or(defaults.max_bodies, |v| v.value.max(1 << 20)),
            concurrency: count(&mut fetch, "concurrency", 1..=512, defaults.concurrency),
            per_host: count(&mut fetch, "per_host", 1..=64, defaults.per_host),
            host_spacing: fetch.duration("host_spacing").map_or(defaults.host_spacing, |v| v.value),
            first_spacing: fetch.duration("first_spacing").map_or(defaults.first_spacing, |v| v.value),
            allow: fetch
                .strings("allow")
                .into_iter()
                .filter_map(|net| {
                    let parsed = net
                        .value
                        .parse::<ipnet::IpNet>()
                        .or_else(|_| net.value.parse::<std::net::IpAddr>().map(ipnet::IpNet::from));
                    if parsed.is_err() {
                        let message = format!("`{}` is not a network like `10.0.0.0/8`", net.value);
                        fetch.error(&net.place, message);
                    }
                    parsed.ok()
                })
                .collect(),
            ..defaults
        };
        self.site.user_agent.clone_from(&self.fetch.user_agent);
        fetch.finish();
    }

    /// Assembles the whole configuration.
    pub(super) fn into_config(self, path: &Path, found: Found) -> Config {
        let Found { sources, notes, rules } = found;
        let answers = self.store.path.join("answers");
        let newcomers = ((self.windows.items / 2).max(1), (self.windows.site_items / 2).max(1));
        Config {
            path: path.to_owned(),
            store: self.store,
            exports: self.exports,
            retention: self.retention,
            ingest: IngestOptions {
                zone: self.site.zone,
                bare_space: self.code_space.clone(),
                newcomers,
                auto: self.auto,
                freshness_cap: i64::try_from(self.poll.freshness_cap.as_secs()).unwrap_or(i64::MAX),
                rules: Arc::new(Rules::new(self.rules.into_iter().chain(rules).collect())),
                answers: Some(LastAnswers::new(&answers)),
            },
            publish: PublishOptions {
                site: self.site,
                windows: self.windows,
                output: self.output,
                static_files: self.static_files,
                articles: self.articles,
                precompress: self.precompress,
                corrections: self.corrections,
                combined: self.combined,
                sources: notes,
                jekyll: self.jekyll,
                json_lines: self.json_lines,
                interval: self.poll.interval,
            },
            fetch: self.fetch,
            listen: self.listen,
            serve: self.serve,
            status: self.status,
            socket: self.socket,
            webhooks: self.webhooks,
            categories: self.categories,
            sources,
            id_authority: self.fixed.id_authority,
            trial: self.fixed.trial,
            code_space: self.code_space.map(|s| s.as_str().to_owned()).unwrap_or_default(),
        }
    }
}

/// Reads a server's address, and whether it differs from the default; `None` if it is switched off.
fn listen(section: &mut Reader, port: u16) -> Option<(SocketAddr, bool)> {
    let off = section.bool("enabled").is_some_and(|v| !v.value);
    let given = section.parsed("listen", |s| {
        s.parse::<SocketAddr>()
            .map_err(|_| format!("must be an address and a port like `127.0.0.1:{port}`, not `{s}`"))
    });
    let default = (SocketAddr::from(([127, 0, 0, 1], port)), false);
    (!off).then(|| given.map_or(default, |given| (given.value, given.value != default.0)))
}
