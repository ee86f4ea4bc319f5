//! Small crates in memory, and the edges and circles that are found in them.

use super::{Graph, graph_of};

/// Files by their paths, each with its text.
type Files<'a> = &'a [(&'a str, &'a str)];

fn graph(files: Files<'_>) -> Graph {
    graph_of(&|path| files.iter().find(|(known, _)| *known == path).map(|(_, text)| (*text).to_owned()))
}

/// Edges like `a > b: b::f`, without the endings of the files.
fn edges(files: Files<'_>) -> Vec<String> {
    let plain = |file: &str| file.strip_suffix(".rs").unwrap().to_owned();
    let shown = |items: Vec<&str>| items.join(" ");
    let line = |from: &str, to: &str, items| format!("{} > {}: {}", plain(from), plain(to), shown(items));
    let graph = graph(files);
    graph
        .edges()
        .map(|edge| line(edge.from, edge.to, edge.items.iter().map(String::as_str).collect()))
        .collect()
}

/// What each of four files uses, and the circles.
type Round<'a> = (&'a str, [&'a str; 4], &'a [&'a [&'a str]]);

#[track_caller]
fn check(cases: &[(&str, Files<'_>, &[&str])]) {
    for (name, files, wanted) in cases {
        assert_eq!(edges(files), *wanted, "{name}");
    }
}

const B: (&str, &str) = (
    "b.rs",
    "pub fn f() {} pub struct S; pub enum E { One, Two } pub trait T {} pub const C: u8 = 1;
     pub type A = u8; pub static X: u8 = 1;",
);
const LIB: (&str, &str) = ("lib.rs", "mod a; mod b;");

#[test]
fn imports_are_uses_of_what_they_name() {
    check(&[
        ("plain", &[LIB, B, ("a.rs", "use crate::b::f;")], &["a > b: b::f"]),
        ("by super", &[LIB, B, ("a.rs", "use super::b::S;")], &["a > b: b::S"]),
        ("by self", &[("lib.rs", "mod b; use self::b::S;"), B], &["lib > b: b::S"]),
        ("child without self", &[("lib.rs", "mod b; use b::S;"), B], &["lib > b: b::S"]),
        ("grouped", &[LIB, B, ("a.rs", "use crate::{b::{f, S, T}, b::C};")], &["a > b: b::C b::S b::T b::f"]),
        ("renamed", &[LIB, B, ("a.rs", "use crate::b::{A as Other, X as _};")], &["a > b: b::A b::X"]),
        ("variant", &[LIB, B, ("a.rs", "use crate::b::E::{self, One};")], &["a > b: b::E"]),
        ("all variants", &[LIB, B, ("a.rs", "use crate::b::E::*; fn g() { One }")], &["a > b: b::E"]),
        ("module alone", &[LIB, B, ("a.rs", "use crate::b; use super::b::{self as other};")], &[]),
        ("all names, none used", &[LIB, B, ("a.rs", "use crate::b::*;")], &[]),
        ("all names", &[LIB, B, ("a.rs", "use crate::b::*; fn g(_: S) { f() }")], &["a > b: b::S b::f"]),
        ("in a function", &[LIB, B, ("a.rs", "fn g() { use crate::b::S; }")], &["a > b: b::S"]),
        ("other crates", &[LIB, B, ("a.rs", "use std::fmt; use ::b::f; fn g() { fmt::b(); ::b::f() }")], &[]),
        ("declarations", &[LIB, B, ("a.rs", "")], &[]),
    ]);
}

#[test]
fn paths_are_uses() {
    check(&[
        ("call", &[LIB, B, ("a.rs", "fn g() { crate::b::f() }")], &["a > b: b::f"]),
        ("module imported", &[LIB, B, ("a.rs", "use crate::b; fn g() { b::f() }")], &["a > b: b::f"]),
        ("module renamed", &[LIB, B, ("a.rs", "use crate::b as c; fn g() { c::f() }")], &["a > b: b::f"]),
        ("module in a function", &[LIB, B, ("a.rs", "fn g() { use super::b; b::f() }")], &["a > b: b::f"]),
        ("beside that function", &[LIB, B, ("a.rs", "fn g() { use super::b; } fn h() { b::f() }")], &[]),
        ("type", &[LIB, B, ("a.rs", "struct P(Vec<crate::b::S>);")], &["a > b: b::S"]),
        ("trait", &[LIB, B, ("a.rs", "struct P; impl super::b::T for P {}")], &["a > b: b::T"]),
        ("bound", &[LIB, B, ("a.rs", "fn g(_: impl crate::b::T) {}")], &["a > b: b::T"]),
        ("pattern", &[LIB, B, ("a.rs", "fn g() { match x { crate::b::E::One => {} } }")], &["a > b: b::E"]),
        ("call of a type's", &[LIB, B, ("a.rs", "fn g() { crate::b::S::new() }")], &["a > b: b::S"]),
        ("inline module", &[LIB, B, ("a.rs", "mod i { fn g() { super::super::b::f() } }")], &["a > b: b::f"]),
        (
            "into an inline module",
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use crate::b::i::f;"),
                ("b.rs", "pub mod i { pub fn f() {} }"),
            ],
            &["a > b: i::f"],
        ),
        (
            "up two folders",
            &[
                ("lib.rs", "mod m; mod b;"),
                B,
                ("m/mod.rs", "mod n;"),
                ("m/n.rs", "mod o;"),
                ("m/n/o.rs", "fn g() { super::super::super::b::f() } use super::super::k;"),
            ],
            &["m/n/o > b: b::f"],
        ),
        ("attribute", &[LIB, B, ("a.rs", "#[crate::b::f] struct P;")], &[]),
        ("comment", &[LIB, B, ("a.rs", "/// [`crate::b::f`]\nstruct P; // crate::b::f")], &[]),
        (
            "raw name",
            &[("lib.rs", "mod a; mod r#fn;"), ("fn.rs", "pub fn f() {}"), ("a.rs", "use crate::r#fn::f;")],
            &["a > fn: fn::f"],
        ),
    ]);
}

#[test]
fn what_is_given_on_leads_to_its_definition() {
    let chain = ("m/mod.rs", "mod b; pub use b::{f, S as Other}; pub mod n { pub use super::b::E; }");
    let inner = ("m/b.rs", B.1);
    check(&[
        (
            "chain",
            &[("lib.rs", "mod a; mod m; pub use m::f;"), chain, inner, ("a.rs", "use crate::f;")],
            &["a > m/b: b::f"],
        ),
        (
            "renamed",
            &[("lib.rs", "mod a; mod m;"), chain, inner, ("a.rs", "use crate::m::Other as Third;")],
            &["a > m/b: b::S"],
        ),
        (
            "through an inline module",
            &[("lib.rs", "mod a; mod m;"), chain, inner, ("a.rs", "fn g() { crate::m::n::E::One }")],
            &["a > m/b: b::E"],
        ),
        (
            "all names",
            &[
                ("lib.rs", "mod a; mod m;"),
                ("m.rs", "mod b; pub use b::*;"),
                inner,
                ("a.rs", "use crate::m::C;"),
            ],
            &["a > m/b: b::C"],
        ),
        (
            "all names, in circles",
            &[
                LIB,
                ("a.rs", "pub use crate::b::*; use crate::b::g;"),
                ("b.rs", "pub use crate::a::*; pub fn g() {}"),
            ],
            &["a > b: b::g"],
        ),
        (
            "to where it came from",
            &[
                ("lib.rs", "mod m;"),
                ("m/mod.rs", "mod a; mod b; pub use b::f;"),
                inner,
                ("m/a.rs", "use super::f;"),
            ],
            &["m/a > m/b: b::f"],
        ),
        (
            "used where it is given on",
            &[("lib.rs", "mod b; pub(crate) use b::{S, f, C}; fn g(f: u8) -> S { f }"), B],
            &["lib > b: b::S"],
        ),
        (
            "imported, but not given on",
            &[("lib.rs", "mod a; mod m;"), ("m.rs", "mod b; use b::f;"), inner, ("a.rs", "")],
            &["m > m/b: b::f"],
        ),
        (
            "function and module of one name",
            &[
                ("lib.rs", "mod a; mod f; pub use f::f;"),
                ("f.rs", "pub fn f() {} pub fn g() {}"),
                ("a.rs", "use crate::f;"),
            ],
            &["a > f: f::f"],
        ),
        (
            "nothing of this crate",
            &[("lib.rs", "mod a; pub use std::fmt;"), ("a.rs", "use crate::fmt; fn g() { fmt::f() }")],
            &[],
        ),
        (
            "items of a folder's file",
            &[("lib.rs", "mod m;"), ("m/mod.rs", "mod a; pub struct Own;"), ("m/a.rs", "use super::Own;")],
            &["m/a > m/mod: m::Own"],
        ),
    ]);
}

#[test]
fn tokens_of_macros_are_read() {
    check(&[
        (
            "path",
            &[LIB, B, ("a.rs", "fn g() { assert!(x.y == [crate::b::C], \"{}\", 1) }")],
            &["a > b: b::C"],
        ),
        ("module", &[LIB, B, ("a.rs", "use super::b; fn g() { vec![b::f::<u8>(); 2]; }")], &["a > b: b::f"]),
        (
            "within generics",
            &[LIB, B, ("a.rs", "fn g() { m!(Vec::<crate::b::S>::new()) }")],
            &["a > b: b::S"],
        ),
        (
            "single names",
            &[
                (
                    "lib.rs",
                    "mod b; pub use b::{f, S, C}; fn g() { m!(f(), x.f(), y::f(), S, 'S', \"C\", f = 1) }",
                ),
                B,
            ],
            &["lib > b: b::S b::f"],
        ),
        ("no path", &[LIB, B, ("a.rs", "use crate::b; fn g() { m!(x.b::f(), b: f, 'b: {}, $b::f) }")], &[]),
        (
            "macro of another file",
            &[LIB, ("b.rs", "macro_rules! own { () => { $crate::a::f() } }"), ("a.rs", "fn f() { own!() }")],
            &["a > b: b::own", "b > a: a::f"],
        ),
        (
            "exported macro",
            &[
                ("lib.rs", "mod a; mod b;"),
                ("b.rs", "#[macro_export] macro_rules! own { () => {} }"),
                ("a.rs", "fn f() { crate::own!() }"),
            ],
            &["a > b: b::own"],
        ),
    ]);
}

#[test]
fn code_for_tests_is_left_out() {
    let uses = "use crate::b::f; fn g() { crate::b::f() }";
    let inline = format!("#[cfg(test)] mod tests {{ {uses} }}");
    let file = format!("#![cfg(test)] {uses}");
    check(&[
        ("inline module", &[LIB, B, ("a.rs", &inline)], &[]),
        ("file", &[LIB, B, ("a.rs", "#[cfg(test)] mod tests;"), ("a/tests.rs", uses)], &[]),
        ("file's own", &[LIB, B, ("a.rs", &file)], &[]),
        ("import", &[LIB, B, ("a.rs", "#[cfg(test)] use crate::b::f;")], &[]),
        ("test", &[LIB, B, ("a.rs", "#[test] fn g() { crate::b::f() }")], &[]),
        ("all", &[LIB, B, ("a.rs", "#[cfg(all(test, unix))] fn g() { crate::b::f() }")], &[]),
        ("any", &[LIB, B, ("a.rs", "#[cfg(any(test, unix))] fn g() { crate::b::f() }")], &["a > b: b::f"]),
        ("not", &[LIB, B, ("a.rs", "#[cfg(not(test))] fn g() { crate::b::f() }")], &["a > b: b::f"]),
        ("other", &[LIB, B, ("a.rs", "#[cfg(feature = \"x\")] use crate::b::f;")], &["a > b: b::f"]),
        ("method", &[LIB, B, ("a.rs", "struct P; impl P { #[cfg(test)] fn g() { crate::b::f() } }")], &[]),
        ("field", &[LIB, B, ("a.rs", "struct P { #[cfg(test)] g: crate::b::S }")], &[]),
        ("statement", &[LIB, B, ("a.rs", "fn g() { #[cfg(test)] let x = crate::b::f(); }")], &[]),
        ("call", &[LIB, B, ("a.rs", "fn g() { #[cfg(test)] crate::b::f(); }")], &[]),
        ("in a function", &[LIB, B, ("a.rs", "fn g() { #[cfg(test)] use crate::b; b::f(); }")], &[]),
    ]);
    let graph = graph(&[LIB, B, ("a.rs", "#[cfg(test)] mod tests;"), ("a/tests.rs", uses)]);
    assert_eq!(graph.files().collect::<Vec<_>>(), ["a.rs", "b.rs", "lib.rs"]);
}

#[test]
fn circles_are_found() {
    let lib = ("lib.rs", "mod a; mod b; mod c; mod d;");
    let text = |to: &str| format!("pub fn f() {{ {} }}", to.replace(' ', "();"));
    let cases: &[Round<'_>] = &[
        ("none", ["crate::b::f() crate::c::f()", "crate::c::f()", "crate::d::f()", ""], &[]),
        ("two", ["crate::b::f()", "crate::a::f()", "crate::a::f()", ""], &[&["a.rs", "b.rs"]]),
        (
            "three",
            ["crate::b::f()", "crate::c::f()", "crate::a::f()", "crate::a::f()"],
            &[&["a.rs", "b.rs", "c.rs"]],
        ),
        (
            "two of two",
            ["crate::d::f()", "crate::c::f()", "crate::b::f() crate::a::f()", "crate::a::f()"],
            &[&["a.rs", "d.rs"], &["b.rs", "c.rs"]],
        ),
        ("itself", ["crate::a::f()", "", "", ""], &[]),
    ];
    for (name, texts, wanted) in cases {
        let [a, b, c, d] = texts.map(text);
        let files = [lib, ("a.rs", &*a), ("b.rs", &*b), ("c.rs", &*c), ("d.rs", &*d)];
        assert_eq!(graph(&files).circles(), *wanted, "{name}");
    }
}

#[test]
fn the_shortest_way_round_is_shown() {
    let graph = graph(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "pub fn f() { crate::b::f(); crate::b::g() }"),
        ("b.rs", "pub fn f() { crate::c::f() } pub fn g() {}"),
        ("c.rs", "pub fn f() { crate::a::f(); crate::b::g() }"),
    ]);
    let way: Vec<String> = graph.shortest(&graph.circles()[0]).iter().map(ToString::to_string).collect();
    assert_eq!(way, ["b.rs uses `c::f` of c.rs", "c.rs uses `b::g` of b.rs"]);
}

#[test]
fn a_graph_is_narrowed_and_grouped() {
    let graph = graph(&[
        ("lib.rs", "mod m; mod z;"),
        ("z.rs", "pub fn f() { crate::m::a::f() }"),
        ("m/mod.rs", "pub mod a; pub mod b;"),
        ("m/a.rs", "pub fn f() { super::b::f(); crate::z::f() }"),
        ("m/b.rs", "pub fn f() {}"),
    ]);
    assert_eq!(graph.circles(), [["m/a.rs", "z.rs"]]);
    let below = graph.below("m/");
    assert_eq!(below.files().collect::<Vec<_>>(), ["m/a.rs", "m/b.rs", "m/mod.rs"]);
    assert_eq!(below.edges().map(|edge| (edge.from, edge.to)).collect::<Vec<_>>(), [("m/a.rs", "m/b.rs")]);
    assert!(below.circles().is_empty());
    let rooms = graph.grouped(|file| Some(if file.starts_with("m/") { "m" } else { file }));
    assert_eq!(rooms.circles(), [["m", "z.rs"]]);
}
