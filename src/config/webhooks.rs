//! `[[webhook]]`: who is told after a publish.

use std::fs;
use std::path::Path;

use url::Url;

use super::faults::Fault;
use super::reader::Reader;
use crate::notify::Webhook;

/// A file with a secret is not larger, in bytes.
const MAX_SECRET: u64 = 4_096;

pub(super) fn read(main: &mut Reader, folder: &Path) -> Vec<Webhook> {
    let mut hooks: Vec<Webhook> = Vec::new();
    for mut table in main.tables("webhook") {
        let url = table.required("url", |table, key| {
            table.parsed(key, |text| match Url::parse(text) {
                Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
                _ => Err(format!("must be an address like `https://example.org/hook`, not `{text}`")),
            })
        });
        let secret = secret(&mut table, folder);
        let categories = table.strings("categories").into_iter().map(|v| v.value).collect();
        if let Some(url) = url {
            if hooks.iter().any(|hook| hook.url == url.value) {
                table.error(&url.place, "this webhook is there twice");
            }
            hooks.push(Webhook { url: url.value, secret, categories });
        }
        table.finish();
    }
    hooks
}

/// A secret stands in a file of its own, which the config may be shown without.
fn secret(table: &mut Reader, folder: &Path) -> Option<String> {
    let named = table.string("secret_file")?;
    let path = folder.join(&named.value);
    let small = fs::metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_SECRET);
    let text = fs::read_to_string(&path).ok().filter(|_| small).map(|text| text.trim().to_owned());
    if text.as_ref().is_none_or(String::is_empty) {
        let fault = Fault::error(&named.place, format!("no secret can be read in `{}`", path.display()));
        table
            .push(fault.help(
                "write one line into it, such as the output of `openssl rand -hex 32`, with mode 0600",
            ));
    }
    text.filter(|text| !text.is_empty())
}
