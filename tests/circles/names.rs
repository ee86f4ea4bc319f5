//! The names of a crate's modules, and the items that they stand for in the end.

use std::collections::{BTreeMap, BTreeSet};

/// Where a module stands in [`Names`].
pub(crate) type ModuleId = usize;

/// An item, by the file that defines it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Defined {
    /// The file.
    pub(crate) file: String,
    /// The module's own name and the item's: `clock::note`.
    pub(crate) name: String,
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// A module, which is no item by itself.
    Module(ModuleId),
    /// Anything else.
    Item(Defined),
}

/// What a name is bound to.
#[derive(Debug)]
enum Binding {
    /// Something that stands here.
    Here(Target),
    /// A path to somewhere else.
    Import(Vec<String>),
}

/// A module or, inside a function, a block with items of its own.
#[derive(Debug)]
struct Module {
    file: String,
    name: String,
    parent: Option<ModuleId>,
    block: bool,
    names: BTreeMap<String, Vec<Binding>>,
    globs: Vec<Vec<String>>,
}

/// The ways that are being followed, so that none is followed in circles.
type Open = BTreeSet<(ModuleId, String, usize)>;

/// All modules of a crate.
#[derive(Debug, Default)]
pub(crate) struct Names {
    modules: Vec<Module>,
    macros: BTreeMap<String, Defined>,
}

impl Names {
    /// Adds a module; its parent, if there is one, gets to know it.
    pub(crate) fn add_module(&mut self, file: &str, name: &str, parent: Option<ModuleId>) -> ModuleId {
        let id = self.add(file, name, parent, false);
        if let Some(parent) = parent {
            self.bind(parent, name, Binding::Here(Target::Module(id)));
        }
        id
    }

    /// Adds a block of code, which sees all names around it.
    pub(crate) fn open_block(&mut self, around: ModuleId) -> ModuleId {
        let (file, name) = (self.modules[around].file.clone(), self.modules[around].name.clone());
        self.add(&file, &name, Some(around), true)
    }

    /// Forgets the block that was opened last.
    pub(crate) fn close_block(&mut self) {
        self.modules.pop();
    }

    /// Adds an item to a module.
    pub(crate) fn add_item(&mut self, module: ModuleId, name: &str) {
        let defined = self.defined(module, name);
        self.bind(module, name, Binding::Here(Target::Item(defined)));
    }

    /// Adds a macro to a module, and to those that every module may see.
    pub(crate) fn add_macro(&mut self, module: ModuleId, name: &str, exported: bool) {
        let defined = self.defined(module, name);
        self.macros.entry(name.to_owned()).or_insert_with(|| defined.clone());
        if exported {
            self.bind(self.root(module), name, Binding::Here(Target::Item(defined.clone())));
        }
        self.bind(module, name, Binding::Here(Target::Item(defined)));
    }

    /// Adds a name for what a path leads to.
    pub(crate) fn add_import(&mut self, module: ModuleId, name: &str, path: Vec<String>) {
        self.bind(module, name, Binding::Import(path));
    }

    /// Adds all names of what a path leads to.
    pub(crate) fn add_glob(&mut self, module: ModuleId, path: Vec<String>) {
        self.modules[module].globs.push(path);
    }

    /// The file that a module stands in.
    pub(crate) fn file(&self, module: ModuleId) -> &str {
        &self.modules[module].file
    }

    /// The macro of this name that is found without a path, wherever it stands. Which macros can
    /// be seen depends on the order of the text; names that differ make that order needless here.
    pub(crate) fn macro_named(&self, name: &str) -> Option<&Defined> {
        self.macros.get(name)
    }

    /// What a path leads to that is written in `module`; nothing for what other crates define.
    pub(crate) fn resolve(&self, module: ModuleId, path: &[String]) -> BTreeSet<Target> {
        self.follow(module, path, &mut Open::new())
    }

    fn add(&mut self, file: &str, name: &str, parent: Option<ModuleId>, block: bool) -> ModuleId {
        let (file, name) = (file.to_owned(), name.to_owned());
        let (names, globs) = (BTreeMap::new(), Vec::new());
        self.modules.push(Module { file, name, parent, block, names, globs });
        self.modules.len() - 1
    }

    fn defined(&self, module: ModuleId, name: &str) -> Defined {
        let Module { file, name: within, .. } = &self.modules[module];
        Defined { file: file.clone(), name: format!("{within}::{name}") }
    }

    fn bind(&mut self, module: ModuleId, name: &str, binding: Binding) {
        self.modules[module].names.entry(name.to_owned()).or_default().push(binding);
    }

    fn follow(&self, module: ModuleId, path: &[String], open: &mut Open) -> BTreeSet<Target> {
        let Some((first, rest)) = path.split_first() else { return BTreeSet::new() };
        let start = match first.as_str() {
            "crate" => BTreeSet::from([Target::Module(self.root(module))]),
            "self" | "super" => self.member(self.around(module), first, open),
            name => self.in_scope(module, name, open),
        };
        rest.iter().fold(start, |found, name| self.step(found, name, open))
    }

    /// One segment further. What stands below an item, like a variant below its enum, is a use of
    /// that item.
    fn step(&self, found: BTreeSet<Target>, name: &str, open: &mut Open) -> BTreeSet<Target> {
        if found.iter().any(|target| matches!(target, Target::Module(_))) {
            self.inside(found, name, open)
        } else {
            found
        }
    }

    /// What a name means in those of the targets that are modules.
    fn inside(&self, found: BTreeSet<Target>, name: &str, open: &mut Open) -> BTreeSet<Target> {
        let mut members = BTreeSet::new();
        for target in found {
            if let Target::Module(module) = target {
                members.extend(self.member(module, name, open));
            }
        }
        members
    }

    /// What a name means in a block or module; blocks see the names around them.
    fn in_scope(&self, module: ModuleId, name: &str, open: &mut Open) -> BTreeSet<Target> {
        let found = self.member(module, name, open);
        match self.modules[module] {
            Module { block: true, parent: Some(around), .. } if found.is_empty() => {
                self.in_scope(around, name, open)
            }
            _ => found,
        }
    }

    /// What a name means as a member of a module: what is bound to it there, else what the globs
    /// bring in.
    fn member(&self, module: ModuleId, name: &str, open: &mut Open) -> BTreeSet<Target> {
        match name {
            "self" => return BTreeSet::from([Target::Module(module)]),
            "super" => return self.modules[module].parent.map(Target::Module).into_iter().collect(),
            _ => {}
        }
        let mut found = BTreeSet::new();
        let Some(bound) = self.modules[module].names.get(name) else {
            return self.through_globs(module, name, open);
        };
        for (way, binding) in bound.iter().enumerate() {
            match binding {
                Binding::Here(target) => _ = found.insert(target.clone()),
                Binding::Import(path) => {
                    let key = (module, name.to_owned(), way);
                    if open.insert(key.clone()) {
                        found.extend(self.follow(module, path, open));
                        open.remove(&key);
                    }
                }
            }
        }
        found
    }

    /// What globs of modules bring in. The variants that one of an enum brings in are not known.
    fn through_globs(&self, module: ModuleId, name: &str, open: &mut Open) -> BTreeSet<Target> {
        let mut found = BTreeSet::new();
        for (way, glob) in self.modules[module].globs.iter().enumerate() {
            let key = (module, name.to_owned(), way);
            if open.insert(key.clone()) {
                let from = self.follow(module, glob, open);
                found.extend(self.inside(from, name, open));
                open.remove(&key);
            }
        }
        found
    }

    fn root(&self, module: ModuleId) -> ModuleId {
        self.modules[module].parent.map_or(module, |parent| self.root(parent))
    }

    /// The module that a block stands in; a module itself.
    fn around(&self, module: ModuleId) -> ModuleId {
        match self.modules[module] {
            Module { block: true, parent: Some(parent), .. } => self.around(parent),
            _ => module,
        }
    }
}
