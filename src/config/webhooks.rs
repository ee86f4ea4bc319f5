//! Reads `[[webhook]]`: addresses called after a publish.

use url::Url;

use super::reader::Reader;
use super::secrets::Secrets;
use crate::notify::Webhook;

pub(super) fn read(main: &mut Reader, secrets: &Secrets) -> Vec<Webhook> {
    let mut hooks: Vec<Webhook> = Vec::new();
    for mut table in main.tables("webhook") {
        let url = table.required("url", |table, key| {
            table.parsed(key, |text| match Url::parse(text) {
                Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
                _ => Err(format!("must be an address like `https://example.org/hook`, not `{text}`")),
            })
        });
        let named = table.string("secret_file");
        let secret = named.and_then(|named| secrets.read(&table, &named));
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
