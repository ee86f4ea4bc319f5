//! Reads `[[source]]`, `[profile.*]` and `[vars]`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::faults::Fault;
use super::notes::{self, NoteSettings};
use super::poll::{self, FLOOR, Poll};
use super::reader::{Reader, Value};
use super::secrets::Secrets;
use super::values::{category, fill_vars, flag, regex, required, space, text, zone};
use super::{is_loopback, kinds, rules};
use crate::model::private::key_in;
use crate::model::{CodeSpace, Pattern, SourceId};
use crate::parse::address::Address;
use crate::parse::clean::{Attribution, CleanRules, Cleaner};
use crate::publish::SourceNote;
use crate::rules::{Level, Rule};
use crate::schedule::Pace;
use crate::source::code::CodeFrom;
use crate::source::{ArticleRule, CategoryChoice, CodeRule, Kind, Required, Source};

/// The sources of all files, with their notes and rules.
pub(super) struct Found {
    pub(super) sources: Vec<Arc<Source>>,
    /// What feeds and pages show about each source.
    pub(super) notes: BTreeMap<SourceId, SourceNote>,
    /// The sources' own rules.
    pub(super) rules: Vec<Rule>,
}

/// Collects the sources of all files.
pub(super) struct Sources<'a> {
    defaults: &'a Reader,
    profiles: &'a BTreeMap<String, Reader>,
    poll: &'a Poll,
    secrets: &'a Secrets,
    found: Vec<(Source, Value<String>)>,
    /// Cleaners by their rules: most sources have the same rules, and a cleaner is large.
    cleaners: Vec<(CleanRules, Arc<Cleaner>)>,
    ids: BTreeSet<String>,
    notes: BTreeMap<SourceId, SourceNote>,
    rules: Vec<Rule>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(
        defaults: &'a Reader,
        profiles: &'a BTreeMap<String, Reader>,
        poll: &'a Poll,
        secrets: &'a Secrets,
    ) -> Self {
        Self {
            defaults,
            profiles,
            poll,
            secrets,
            found: Vec::new(),
            cleaners: Vec::new(),
            ids: BTreeSet::new(),
            notes: BTreeMap::new(),
            rules: Vec::new(),
        }
    }

    /// Reads all sources of one file; a file other than `main` with a single source gives it its name as id.
    pub(super) fn read_file(&mut self, file: &mut Reader, main: bool) {
        let vars: BTreeMap<String, String> =
            file.string_map("vars").into_iter().map(|(k, v)| (k.value, v.value)).collect();
        let stem = file.file().file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let tables = file.tables("source");
        let alone = tables.len() == 1 && !main;
        for mut table in tables {
            if let Some(name) = table.string("profile") {
                if let Some(profile) = self.profiles.get(&name.value) {
                    table.overlay(profile);
                } else {
                    let known: Vec<String> = self.profiles.keys().map(|k| format!("`{k}`")).collect();
                    let fault = Fault::error(&name.place, format!("there is no profile `{}`", name.value));
                    table.push(fault.help(format!("known: {}", known.join(", "))));
                }
            }
            table.overlay(self.defaults);
            let id = self.id(&mut table, alone.then_some(stem.as_str()));
            self.read_one(table, id, &vars);
        }
    }

    fn id(&mut self, table: &mut Reader, stem: Option<&str>) -> Option<SourceId> {
        let given = table.string("id");
        let place = given.as_ref().map_or_else(|| table.place().clone(), |v| v.place.clone());
        let Some(name) = given.map(|v| v.value).or_else(|| stem.map(str::to_owned)) else {
            let fault = Fault::error(&place, "this source needs an `id`");
            table.push(fault.help("add a line `id = \"short-name\"` and never change it; a source alone in its own file takes the file's name"));
            return None;
        };
        if matches!(name.as_str(), "import" | "jekyll") {
            table.error(&place, format!("`{name}` is kept for imported articles; take another id"));
        }
        let Some(id) = SourceId::new(&name) else {
            table.error(
                &place,
                format!("`{name}` cannot be an id: small letters, digits, `.`, `-` and `_`, at most 64"),
            );
            return None;
        };
        if !self.ids.insert(name) {
            table.error(&place, format!("the source `{id}` is there twice"));
        }
        Some(id)
    }

    fn read_one(&mut self, mut table: Reader, id: Option<SourceId>, vars: &BTreeMap<String, String>) {
        let url = table.required("url", Reader::string);
        let address = url.clone().and_then(|url| address(&table, &url, vars));
        let (category, also) = categories(&mut table);
        let rank = u32::try_from(self.found.len() + 1).unwrap_or(u32::MAX);
        let rest = settings(&mut table, vars, (self.poll, self.secrets), true);
        let cleaner = self.cleaner(rest.clean);
        if let (Some(id), Some(address), Some(category), Some(url), Some(cleaner)) =
            (id, address, category, url, cleaner)
        {
            warn_of_key(&table, &url, &address, rest.note.has_public_url());
            let code_space = rest.code_space.clone().unwrap_or_else(|| CodeSpace::of_source(&id));
            let source = Source {
                name: rest.name.clone().unwrap_or_else(|| category.name.clone()),
                code_space,
                rank: rest.rank.unwrap_or(rank),
                id,
                url: address,
                category,
                also,
                kind: rest.kind,
                article: rest.article,
                robots: rest.robots,
                headers: rest.headers,
                route_by_media: rest.route_by_media,
                code: rest.code,
                zone: rest.zone,
                encoding: rest.encoding,
                require: rest.require,
                cleaner,
                strip: rest.strip,
                digest: rest.digest,
                link: rest.link,
                pace: rest.pace,
                proxy: rest.proxy,
                enabled: rest.enabled,
            };
            self.rules.extend(rules::at(rest.rules, &Level::Source(source.id.clone())));
            self.notes.insert(source.id.clone(), rest.note.of(&source));
            self.found.push((source, url));
        }
        table.finish();
    }

    /// Returns the cleaner of these rules; `None` if a selector is invalid, which was reported.
    fn cleaner(&mut self, rules: CleanRules) -> Option<Arc<Cleaner>> {
        if let Some((_, known)) = self.cleaners.iter().find(|(known, _)| *known == rules) {
            return Some(Arc::clone(known));
        }
        let made = Arc::new(Cleaner::new(&rules).ok()?);
        self.cleaners.push((rules, Arc::clone(&made)));
        Some(made)
    }

    /// Warns of sources that ask one address: each of its articles comes from both.
    fn warn_of_one_address(&self) {
        let mut first: BTreeMap<String, &Source> = BTreeMap::new();
        for (source, url) in self.found.iter().filter(|(source, _)| source.enabled) {
            let Some(address) = Address::of(source.url.as_str()) else { continue };
            let other = *first.entry(address.whole().into_owned()).or_insert(source);
            if other.id == source.id || other.code_space == source.code_space {
                continue;
            }
            let message = format!(
                "the sources `{}` and `{}` ask the same address: every article comes twice",
                other.id, source.id
            );
            let help = "remove one of them, or give both the same `code_space`: then each article is kept once; \
                        删除其中一个，或给两者设置相同的 `code_space`";
            self.defaults.push(Fault::warning(&url.place, message).help(help));
        }
    }

    /// Checks what only all sources together show, and gives them.
    pub(super) fn finish(self, contact: Option<&str>) -> Found {
        let asked = self.found.iter().find(|(s, _)| s.enabled && !is_loopback(&s.url));
        if let Some((source, url)) = asked.filter(|_| self.poll.min_interval < Duration::from_secs(FLOOR)) {
            let message =
                format!("`poll.min_interval` is below {FLOOR}s, and `{}` is on another machine", source.id);
            self.defaults.push(
                Fault::warning(&url.place, message).help("upstreams will block you; this is for tests"),
            );
        }
        if let (None, Some((source, url))) = (contact, asked) {
            let host = source.url.host_str().unwrap_or_default();
            let message = format!("the source `{}` asks `{host}`, but `site.contact` is not set", source.id);
            let help = "add `contact = \"https://…\"` (a page about you) or an e-mail address to `[site]`: \
                        newspapers must be able to reach who polls them";
            self.defaults.push(Fault::error(&url.place, message).help(help));
        }
        self.warn_of_one_address();
        Found {
            sources: self.found.into_iter().map(|(source, _)| Arc::new(source)).collect(),
            notes: self.notes,
            rules: self.rules,
        }
    }
}

/// Reads the category of a source, and the further ones of its items: one name, or a list.
fn categories(table: &mut Reader) -> (Option<CategoryChoice>, Vec<CategoryChoice>) {
    let named = table.strings("category");
    if named.is_empty() {
        // `required` adds the message for a missing key.
        return (table.required("category", Reader::string).and_then(|v| category(table, &v)), Vec::new());
    }
    let mut all = named.iter().filter_map(|name| category(table, name));
    (all.next(), all.collect())
}

/// Reads the profiles and `[defaults]` on their own, so that their unknown keys are reported too.
pub(super) fn finish_shared(
    profiles: BTreeMap<String, Reader>,
    mut defaults: Reader,
    poll: &Poll,
    secrets: &Secrets,
) {
    let _ = settings(&mut defaults, &BTreeMap::new(), (poll, secrets), false);
    defaults.finish();
    for (_, mut profile) in profiles {
        let _ = (profile.string("url"), profile.strings("category"));
        let _ = settings(&mut profile, &BTreeMap::new(), (poll, secrets), false);
        profile.finish();
    }
}

/// The settings that a source, a profile and `[defaults]` may have.
struct Settings {
    name: Option<String>,
    kind: Kind,
    article: Option<Arc<ArticleRule>>,
    robots: bool,
    headers: Vec<(String, String)>,
    route_by_media: bool,
    code_space: Option<CodeSpace>,
    code: Option<CodeRule>,
    rank: Option<u32>,
    zone: chrono_tz::Tz,
    encoding: Option<&'static encoding_rs::Encoding>,
    require: Vec<Required>,
    clean: CleanRules,
    strip: Vec<String>,
    digest: Option<Pattern>,
    link: Option<String>,
    pace: Pace,
    proxy: Option<Arc<Url>>,
    enabled: bool,
    note: NoteSettings,
    rules: Vec<Rule>,
}

/// Reads the shared settings. `whole` is `true` for a source itself; profiles and `[defaults]` may leave out
/// required keys.
fn settings(
    table: &mut Reader,
    vars: &BTreeMap<String, String>,
    (poll, secrets): (&Poll, &Secrets),
    whole: bool,
) -> Settings {
    let (kind, article) = kinds::read(table, vars, whole);
    let code_space = table.string("code_space").and_then(|v| space(table, &v));
    let encoding = table.parsed("encoding", |label| {
        encoding_rs::Encoding::for_label(label.as_bytes())
            .ok_or(format!("is not an encoding: `{label}`; examples: `utf-8`, `gbk`, `big5`"))
    });
    let require = required(table, "require");
    let strip: Vec<String> =
        table.strings("strip").into_iter().map(|v| v.value).filter(|s| !s.is_empty()).collect();
    Settings {
        name: text(table, "name"),
        kind,
        article,
        robots: table.string("ignore_robots").is_none_or(|reason| reason.value.trim().is_empty()),
        headers: headers(table, secrets),
        route_by_media: flag(table, "route_by_media", false),
        code_space,
        code: code_rule(table),
        rank: table.integer_in("rank", 1..=1_000_000).and_then(|v| u32::try_from(v.value).ok()),
        zone: zone(table, "timezone").unwrap_or(poll.zone),
        encoding: encoding.map(|v| v.value),
        require,
        clean: clean_rules(table, &strip),
        strip,
        digest: regex(table, "digest"),
        link: text(table, "link").map(|link| fill_vars(&link, vars)),
        pace: poll::pace(table, poll),
        proxy: proxy(table),
        enabled: flag(table, "enabled", true),
        note: notes::read(table),
        rules: rules::read(table),
    }
}

fn proxy(table: &mut Reader) -> Option<Arc<Url>> {
    let given = table.parsed("proxy", |s| match Url::parse(s) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(format!("must be a proxy like `http://proxy.example.org:3128`, not `{s}`")),
    });
    given.map(|v| Arc::new(v.value))
}

fn headers(table: &mut Reader, secrets: &Secrets) -> Vec<(String, String)> {
    let mut given = table.string_map("headers");
    for (name, file) in table.string_map("secret_headers") {
        if let Some(value) = secrets.read(table, &file) {
            given.push((name, Value { value, place: file.place }));
        }
    }
    let mut headers = Vec::new();
    for (name, value) in given {
        let good = name.value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && value.value.bytes().all(|b| (0x20..0x7f).contains(&b));
        if good {
            headers.push((name.value, value.value));
        } else {
            table.error(&value.place, format!("`{}` cannot be sent as a header", name.value));
        }
    }
    headers
}

fn code_rule(table: &mut Reader) -> Option<CodeRule> {
    let mut code = table.table("code")?;
    let from = code.parsed("from", |s| match s.split_once(':') {
        Some(("query", name)) if !name.is_empty() => Ok(CodeFrom::Query(name.to_owned())),
        None if s == "field" => Ok(CodeFrom::Field),
        None if s == "guid" => Ok(CodeFrom::Guid),
        None if s == "link" => Ok(CodeFrom::Link),
        _ => Err(format!("must be `field`, `guid`, `link` or `query:NAME`, not `{s}`")),
    });
    let pattern = regex(&mut code, "pattern");
    let canonical = text(&mut code, "canonical");
    code.finish();
    Some(CodeRule { from: from.map_or(CodeFrom::Field, |v| v.value), pattern, canonical })
}

fn clean_rules(table: &mut Reader, strip: &[String]) -> CleanRules {
    let mut clean = table.section("clean");
    let strings = |clean: &mut Reader, key: &'static str| clean.strings(key);
    let drop = strings(&mut clean, "drop");
    let unwrap = strings(&mut clean, "unwrap");
    for selector in drop.iter().chain(&unwrap) {
        let one = CleanRules { drop: vec![selector.value.clone()], ..CleanRules::default() };
        if Cleaner::new(&one).is_err() {
            let fault = Fault::error(&selector.place, format!("`{}` is not a CSS selector", selector.value));
            clean.push(fault.help("examples: `p.ad`, `div#banner`, `p:has(a.chart)`"));
        }
    }
    let values = |list: Vec<Value<String>>| list.into_iter().map(|v| v.value).collect();
    let rules = CleanRules {
        drop: values(drop),
        unwrap: values(unwrap),
        keep_classes: values(clean.strings("keep_classes")),
        strip: strip.to_vec(),
        attribution: Some(regex(&mut clean, "attribution").map_or(Attribution::Usual, Attribution::Own)),
        video_hosts: clean.has("video_hosts").then(|| values(clean.strings("video_hosts"))),
        strip_tracking: clean.bool("strip_tracking").is_some_and(|v| v.value),
    };
    clean.finish();
    rules
}

/// Warns of an address with a key that readers would be told, were it not for the key.
fn warn_of_key(table: &Reader, value: &Value<String>, address: &Url, has_public_url: bool) {
    let Some(name) = key_in(address).filter(|_| !has_public_url) else { return };
    let message = format!(
        "the address holds what looks like a key (`{name}`); it is never published or logged in full"
    );
    let help = "name the address that readers may know with `public_url`; where the server takes the key in a header, \
                keep it in a file: `secret_headers = { Authorization = \"paper.token\" }`";
    table.push(Fault::warning(&value.place, message).help(help));
}

fn address(table: &Reader, value: &Value<String>, vars: &BTreeMap<String, String>) -> Option<Url> {
    let filled = fill_vars(&value.value, vars);
    let problem = match Url::parse(&filled) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            format!("`{filled}` is not an http or https address")
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "an address with a user name is refused: put `Authorization` into `headers`".to_owned()
        }
        Ok(url) if url.has_host() => return Some(url),
        _ if filled.contains('{') => format!("`{filled}` has a name in braces that `[vars]` does not set"),
        _ => format!("`{filled}` is not an address"),
    };
    let fault = Fault::error(&value.place, problem);
    table.push(fault.help("an address begins with `https://` or `http://`"));
    None
}
