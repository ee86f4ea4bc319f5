//! Circles of files: files that use each other's items, by whatever way around.
//!
//! A file uses another when its code names an item that the other defines. Who gives the name on
//! does not matter, nor does `mod x;`; code for tests, doc comments and attributes do not count.
//! Not seen: methods called by a dot, modules inside functions, `#[path]`, paths in attributes'
//! strings, and variants that a `pub use …::*` of their enum gives on.

mod names;
#[cfg(test)]
mod tests;
mod tree;
mod uses;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::fs;
use std::path::Path;

/// Which file uses which, by their paths below `src`.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    files: BTreeSet<String>,
    /// What the first file uses of the second.
    edges: BTreeMap<(String, String), BTreeSet<String>>,
}

/// That a file uses another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge<'a> {
    /// The file that uses.
    pub(crate) from: &'a str,
    /// The file that is used.
    pub(crate) to: &'a str,
    /// What of it, each with the name of its module.
    pub(crate) items: &'a BTreeSet<String>,
}

impl fmt::Display for Edge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items: Vec<String> = self.items.iter().map(|item| format!("`{item}`")).collect();
        write!(f, "{} uses {} of {}", self.from, items.join(", "), self.to)
    }
}

/// The graph of the crate whose files stand in `src`.
pub(crate) fn graph(src: &Path) -> Graph {
    graph_of(&|file| fs::read_to_string(src.join(file)).ok())
}

/// The graph of a crate in files that `source` gives.
pub(crate) fn graph_of(source: tree::Source<'_>) -> Graph {
    let tree = tree::read(source);
    let mut graph = Graph::default();
    graph.files.extend(tree.parts.iter().map(|part| tree.names.file(part.module).to_owned()));
    for used in uses::uses(tree) {
        graph.edges.entry((used.from, used.item.file)).or_default().insert(used.item.name);
    }
    graph
}

impl Graph {
    /// All files.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    /// All edges.
    pub(crate) fn edges(&self) -> impl Iterator<Item = Edge<'_>> {
        self.edges.iter().map(|((from, to), items)| Edge { from, to, items })
    }

    /// The edges from one file.
    pub(crate) fn edges_from(&self, file: &str) -> impl Iterator<Item = Edge<'_>> {
        self.edges().filter(move |edge| edge.from == file)
    }

    /// The part of the graph whose files' paths begin with `prefix`, like `store/`.
    pub(crate) fn below(&self, prefix: &str) -> Self {
        self.grouped(|file| file.starts_with(prefix).then_some(file))
    }

    /// The graph of groups of files, by the name that `group` gives each; files without one are
    /// left out, and so are edges within a group.
    pub(crate) fn grouped(&self, group: impl Fn(&str) -> Option<&str>) -> Self {
        let mut groups = Self::default();
        groups.files.extend(self.files().filter_map(&group).map(str::to_owned));
        for edge in self.edges() {
            if let (Some(from), Some(to)) = (group(edge.from), group(edge.to))
                && from != to
            {
                let items = groups.edges.entry((from.to_owned(), to.to_owned())).or_default();
                items.extend(edge.items.iter().cloned());
            }
        }
        groups
    }

    /// The circles, sorted: in each, every file leads to every other, and there are two at least.
    pub(crate) fn circles(&self) -> Vec<Vec<String>> {
        let mut search = Search { graph: self, order: BTreeMap::new(), stack: Vec::new(), found: Vec::new() };
        for file in self.files() {
            if !search.order.contains_key(file) {
                search.visit(file);
            }
        }
        search.found.sort();
        search.found
    }

    /// A shortest way around in a circle.
    pub(crate) fn shortest(&self, circle: &[String]) -> Vec<Edge<'_>> {
        let within = |file: &str| circle.iter().any(|known| known == file);
        let ways = circle.iter().filter_map(|file| self.way_back(file, within));
        ways.min_by_key(Vec::len).unwrap_or_default()
    }

    /// A shortest way from a file to itself.
    fn way_back(&self, file: &str, within: impl Fn(&str) -> bool) -> Option<Vec<Edge<'_>>> {
        let mut seen = BTreeSet::new();
        let mut ways: VecDeque<Vec<Edge<'_>>> = self.edges_from(file).map(|edge| vec![edge]).collect();
        while let Some(way) = ways.pop_front() {
            let end = way[way.len() - 1].to;
            if end == file {
                return Some(way);
            }
            if within(end) && seen.insert(end) {
                ways.extend(self.edges_from(end).map(|edge| [&way[..], &[edge]].concat()));
            }
        }
        None
    }
}

/// Tarjan's search for strongly connected components.
struct Search<'a> {
    graph: &'a Graph,
    /// When each file was first seen.
    order: BTreeMap<&'a str, usize>,
    /// Files whose component is not known yet.
    stack: Vec<&'a str>,
    found: Vec<Vec<String>>,
}

impl<'a> Search<'a> {
    /// Visits a file; gives the earliest of the files on the stack that it leads to.
    fn visit(&mut self, file: &'a str) -> usize {
        let own = self.order.len();
        self.order.insert(file, own);
        self.stack.push(file);
        let mut earliest = own;
        for edge in self.graph.edges_from(file) {
            earliest = earliest.min(self.reached(edge.to));
        }
        if earliest == own {
            self.close(file);
        }
        earliest
    }

    fn reached(&mut self, file: &'a str) -> usize {
        match self.order.get(file) {
            None => self.visit(file),
            Some(order) if self.stack.contains(&file) => *order,
            Some(_) => usize::MAX,
        }
    }

    /// Takes a whole component off the stack; `file` was the first of it.
    fn close(&mut self, file: &str) {
        let start = self.stack.iter().position(|open| *open == file).unwrap_or_default();
        let mut component: Vec<String> = self.stack.split_off(start).into_iter().map(str::to_owned).collect();
        if component.len() > 1 {
            component.sort();
            self.found.push(component);
        }
    }
}
