use super::*;

fn front(text: &str) -> FrontMatter {
    read(text, 2).expect(text)
}

#[test]
fn the_dashes_are_found() {
    let parts = split("---\na: 1\n---\nbody\n").unwrap();
    assert_eq!((parts.front, parts.body, parts.line), ("a: 1\n", "body\n", 2));
    let parts = split("\n \n--- \na: 1\n...\n").unwrap();
    assert_eq!((parts.front, parts.body, parts.line), ("a: 1\n", "", 4));
    assert_eq!(split("---\n---").unwrap().front, "");
    assert_eq!(split("\ntext\n---\n"), Err(PostError::NoFrontMatter { line: 2 }));
    assert_eq!(split(" \n"), Err(PostError::NoFrontMatter { line: 1 }));
    assert_eq!(split("\n---\na: 1\n"), Err(PostError::OpenFrontMatter { line: 2 }));
}

#[test]
fn names_are_collected_as_jekyll_did() {
    let table: &[(&str, &[&str], &[&str])] = &[
        ("", &[], &[]),
        ("categories: a b a\ntags: c d", &["a", "b"], &["c", "d"]),
        ("category: a b\ntag: c d", &["a b"], &["c d"]),
        ("categories: [a b, 'c', ~]\ntags: [007, 1.0, no]", &["a b", "c"], &["007", "1.0", "no"]),
        ("categories:\n- a\n- \"b c\"\ntags:\n  - d", &["a", "b c"], &["d"]),
        ("categories: a\ncategory: b", &["a", "b"], &[]),
        ("tag: a\ntags: b", &[], &["a"]),
        ("tags: \"a b\"\ncategories: 2021", &["2021"], &["a", "b"]),
        ("tags: 007\ncategories: 1.0", &["1.0"], &["007"]),
        ("tags:\ncategories: ~", &[], &[]),
        ("tags: {a: b}\ncategories: c", &["c"], &[]),
        // The title is not valid YAML, so the rest is read line by line.
        ("title: \"a \"b\"\"\ntags: [c, d]\ncategories:\n  - e f", &["e f"], &["c", "d"]),
        ("tags: [\"a\"b\", c]\ncategories:\n- \"d\"e\"\n- f", &["d\"e", "f"], &["a\"b", "c"]),
    ];
    for (text, categories, tags) in table {
        let front = front(text);
        assert_eq!(front.all_categories(), *categories, "{text}");
        assert_eq!(front.all_tags(), *tags, "{text}");
    }
}

#[test]
fn titles_survive() {
    let table = [
        ("title: \"\"", Some("")),
        ("title:", None),
        ("title: 1984", Some("1984")),
        ("title: 'it''s'", Some("it's")),
        ("title: \"a \\\"b\\\"\"", Some("a \"b\"")),
        ("title: \"a \"b\" c\"", Some("a \"b\" c")),
        ("title: \"\"b\" c\"", Some("\"b\" c")),
        ("title: \"C:\\d\"", Some("C:\\d")),
        ("title: one: two", Some("one: two")),
        ("title: [old] news", Some("[old] news")),
        ("title: a\ntitle: b", Some("b")),
        ("# note\n\nnested:\n  x: 1\ntitle: >\n  folded\n  text", Some("folded text\n")),
        ("other: \"a\"b\"\ntitle: x\nlist: {", Some("x")),
    ];
    for (text, title) in table {
        assert_eq!(front(text).title.as_deref(), title, "{text}");
    }
}

#[test]
fn a_line_without_a_key_is_named() {
    let broken = read("title: \"a\"b\"\nnonsense\n", 3);
    assert_eq!(broken, Err(PostError::FrontMatter { line: 4, text: "nonsense".to_owned() }));
    assert!(read("  x\n - : [", 2).is_err());
}

#[test]
fn titles_of_the_first_site_are_taken_as_written() {
    let table = [
        ("layout: post\ntitle: \"a \\n \" # b\" ", Some("a \\n \" # b")),
        ("title: \"\"", Some("")),
        ("title: \"", None),
        ("title: a", None),
        ("", None),
    ];
    for (text, title) in table {
        assert_eq!(unescaped_title(text), title, "{text}");
    }
}
