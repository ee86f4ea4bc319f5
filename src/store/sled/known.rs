//! Resolves the names that a source uses: all that decisions about a document need to read, in one call.

use super::database::TreeId;
use super::engine::Engine;
use super::{alias, items, sources};
use crate::model::SourceId;
use crate::store::{AliasKind, Known, Name, Result};

pub(super) fn known(engine: &Engine, id: &SourceId, names: &[Name]) -> Result<Vec<Known>> {
    let number = sources::number(engine, id)?;
    names.iter().map(|name| one(engine, number, name)).collect()
}

fn one(engine: &Engine, source: Option<u32>, name: &Name) -> Result<Known> {
    let db = &engine.db;
    let Some(number) = source else {
        let code = if let Name::Code(code) = name { Some(code.clone()) } else { None };
        return Ok(Known { code, ..Known::default() });
    };
    let (void, code) = match name {
        Name::Code(code) => (false, Some(code.clone())),
        Name::Alias((AliasKind::Guid, guid)) => {
            let void = db.get(TreeId::Void, [&number.to_be_bytes()[..], guid].concat())?.is_some();
            (void, alias::find(db, number, (AliasKind::Guid, *guid))?)
        }
        Name::Alias(alias) => (false, alias::find(db, number, *alias)?),
    };
    let sighting = code.as_ref().map(|code| items::sighting(db, number, code)).transpose()?.flatten();
    Ok(Known { void, code, sighting })
}
