//! Reads the files of a crate, module by module, without what only its tests need.

use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, Item, ItemMacro, ItemMod, ItemUse, Meta, Token, UseTree, Visibility};

use super::names::{ModuleId, Names};

/// Gives a file's text, by its path below the crate's `src`; nothing for one that is not there.
pub(crate) type Source<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A crate as it was read.
#[derive(Default)]
pub(crate) struct Tree {
    /// What its modules define and import.
    pub(crate) names: Names,
    /// Its code.
    pub(crate) parts: Vec<Part>,
}

/// The items of one module, but the modules in it.
pub(crate) struct Part {
    /// Which module.
    pub(crate) module: ModuleId,
    /// Its items.
    pub(crate) items: Vec<Item>,
}

/// One name that a `use` brings in.
pub(crate) struct Import {
    /// The whole path, as it is written.
    pub(crate) path: Vec<String>,
    /// The name; `None` where all names are meant, or none is given.
    pub(crate) name: Option<String>,
    /// Whether all names are meant.
    pub(crate) glob: bool,
}

/// Where the files of a module are.
struct Place<'a> {
    source: Source<'a>,
    /// The folder of its child modules, with a `/` at its end.
    folder: String,
}

/// Reads a crate from its `lib.rs`, its `main.rs`, or both.
pub(crate) fn read(source: Source<'_>) -> Tree {
    let mut tree = Tree::default();
    for root in ["lib.rs", "main.rs"] {
        if let Some(text) = source(root) {
            let place = Place { source, folder: String::new() };
            tree.take_file((root, &text), &place, "crate", None);
        }
    }
    assert!(!tree.parts.is_empty(), "there is no crate");
    tree
}

impl Tree {
    fn take_file(&mut self, read: (&str, &str), place: &Place<'_>, name: &str, parent: Option<ModuleId>) {
        let (file, text) = read;
        let parsed = syn::parse_file(text).map_err(|why| format!("{file}: {why}")).unwrap();
        if !is_for_tests(&parsed.attrs) {
            let module = self.names.add_module(file, name, parent);
            self.take(module, place, parsed.items);
        }
    }

    fn take(&mut self, module: ModuleId, place: &Place<'_>, items: Vec<Item>) {
        let mut kept = Vec::new();
        for item in items {
            match item {
                item if is_for_tests(attributes(&item)) => {}
                Item::Mod(inner) => self.take_module(module, place, inner),
                item => {
                    define(&mut self.names, module, &item);
                    kept.push(item);
                }
            }
        }
        self.parts.push(Part { module, items: kept });
    }

    fn take_module(&mut self, parent: ModuleId, place: &Place<'_>, inner: ItemMod) {
        let name = plain(&inner.ident);
        let below = Place { source: place.source, folder: format!("{}{name}/", place.folder) };
        if let Some((_, items)) = inner.content {
            let file = self.names.file(parent).to_owned();
            let module = self.names.add_module(&file, &name, Some(parent));
            return self.take(module, &below, items);
        }
        let files = [format!("{}{name}.rs", place.folder), format!("{}mod.rs", below.folder)];
        let found = files.iter().find_map(|file| Some((file.as_str(), (place.source)(file)?)));
        let (file, text) = found.ok_or_else(|| format!("there is none of {files:?}")).unwrap();
        self.take_file((file, &text), &below, &name, Some(parent));
    }
}

/// Adds what an item defines or imports to the names of its module.
pub(crate) fn define(names: &mut Names, module: ModuleId, item: &Item) {
    match item {
        Item::Use(item) => {
            for Import { path, name, glob } in imports(item) {
                match name {
                    Some(name) => names.add_import(module, &name, path),
                    None if glob => names.add_glob(module, path),
                    None => {}
                }
            }
        }
        Item::Macro(ItemMacro { ident: Some(ident), attrs, .. }) => {
            let exported = attrs.iter().any(|attribute| attribute.path().is_ident("macro_export"));
            names.add_macro(module, &plain(ident), exported);
        }
        item => {
            if let Some(ident) = defined(item) {
                names.add_item(module, &plain(ident));
            }
        }
    }
}

/// The names that a `use` brings in; none of other crates by `::`.
pub(crate) fn imports(item: &ItemUse) -> Vec<Import> {
    let mut found = Vec::new();
    if item.leading_colon.is_none() {
        take_apart(&item.tree, &[], &mut found);
    }
    found
}

/// Whether a `use` only gives names on.
pub(crate) fn is_reexport(item: &ItemUse) -> bool {
    !matches!(item.vis, Visibility::Inherited)
}

/// Whether code is compiled for tests only.
pub(crate) fn is_for_tests(attributes: &[Attribute]) -> bool {
    let condition =
        |attribute: &Attribute| attribute.parse_args::<Meta>().is_ok_and(|meta| needs_tests(&meta));
    attributes.iter().any(|attribute| match attribute.path() {
        path if path.is_ident("test") => true,
        path => path.is_ident("cfg") && condition(attribute),
    })
}

/// Whether a condition only holds in tests.
fn needs_tests(condition: &Meta) -> bool {
    let Meta::List(list) = condition else { return condition.path().is_ident("test") };
    let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).unwrap_or_default();
    match () {
        () if list.path.is_ident("all") => parts.iter().any(needs_tests),
        () if list.path.is_ident("any") => !parts.is_empty() && parts.iter().all(needs_tests),
        () => false,
    }
}

/// A name without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

fn take_apart(tree: &UseTree, before: &[String], found: &mut Vec<Import>) {
    let path = |ident: &Ident| [before, &[plain(ident)]].concat();
    match tree {
        UseTree::Path(tree) => take_apart(&tree.tree, &path(&tree.ident), found),
        UseTree::Group(tree) => tree.items.iter().for_each(|item| take_apart(item, before, found)),
        UseTree::Glob(_) => found.push(Import { path: before.to_vec(), name: None, glob: true }),
        UseTree::Name(tree) => {
            let path = path(&tree.ident);
            let name = path.iter().rfind(|name| *name != "self").cloned();
            found.push(Import { path, name, glob: false });
        }
        UseTree::Rename(tree) => {
            let name = Some(plain(&tree.rename)).filter(|name| name != "_");
            found.push(Import { path: path(&tree.ident), name, glob: false });
        }
    }
}

fn defined(item: &Item) -> Option<&Ident> {
    Some(match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    })
}

/// The attributes of an item.
pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
