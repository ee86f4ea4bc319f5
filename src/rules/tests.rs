use super::*;

fn subject() -> Subject<'static> {
    Subject {
        title: "西海都市报：大桥合龙".into(),
        html: "<p>昨日<b>合龙</b>，Free Tickets。</p>".into(),
        link: "https://paper.example/news/1?from=rss".into(),
        authors: vec!["王记者".to_owned()],
        tags: vec!["要闻".to_owned()],
        media: Some("西海都市报"),
        language: Some("zh_CN"),
        age: 3 * 86_400,
    }
}

fn when(contains: &str) -> Condition {
    Condition { contains: vec![contains.to_lowercase()], ..Condition::default() }
}

fn rule(name: &str, when: Condition, action: Action) -> Rule {
    Rule { name: name.to_owned(), level: Level::Global, when, action }
}

fn target(name: &str) -> CategoryChoice {
    CategoryChoice { name: name.to_owned(), slug: None }
}

fn source() -> SourceId {
    SourceId::new("xihai").unwrap()
}

fn judge(rules: Vec<Rule>) -> Verdict {
    let slug = |target: &CategoryChoice| Some(Slug::from_name(&target.name));
    Rules::new(rules).judge(&subject(), &source(), &[Slug::from_name("西海都市报")], slug)
}

#[test]
fn conditions() {
    let field = |field, text: &str| Condition { fields: vec![field], ..when(text) };
    let pattern =
        |text: &str| Condition { pattern: Some(Regex::new(text).unwrap().into()), ..Condition::default() };
    let language = |tag: &str| Condition { languages: vec![tag.to_owned()], ..Condition::default() };
    for (name, condition, fits) in [
        ("everything", Condition::default(), true),
        ("title", when("大桥"), true),
        ("text, over markup", when("昨日合龙"), true),
        ("any case", when("FREE tickets"), true),
        ("not there", when("足球"), false),
        ("title only", field(Field::Title, "昨日"), false),
        ("link", field(Field::Link, "from=rss"), true),
        ("author", field(Field::Author, "王"), true),
        ("tag", field(Field::Tag, "要闻"), true),
        ("media", field(Field::Media, "都市报"), true),
        ("pattern", pattern(r"^西海.*合龙$"), true),
        ("pattern that does not", pattern(r"^合龙"), false),
        (
            "both must hold",
            Condition { pattern: Some(Regex::new("足球").unwrap().into()), ..when("大桥") },
            false,
        ),
        ("language", language("zh"), true),
        ("its region", language("zh-cn"), true),
        ("another", language("z"), false),
        ("older", Condition { older_than: Some(86_400), ..Condition::default() }, true),
        ("not so old", Condition { older_than: Some(9 * 86_400), ..Condition::default() }, false),
        ("newer", Condition { newer_than: Some(86_400), ..Condition::default() }, false),
    ] {
        assert_eq!(condition.fits(&subject()), fits, "{name}");
    }
}

#[test]
fn actions() {
    let sports = || target("体育");
    let change = |pattern: &str, field, with: &str| Action::Rewrite {
        field,
        pattern: Regex::new(pattern).unwrap().into(),
        with: with.to_owned(),
    };
    let verdict = |applied: &[&str]| Verdict {
        applied: applied.iter().map(|&name| name.to_owned()).collect(),
        ..Verdict::default()
    };
    let dropped = |by: &str| Verdict { dropped: Some(by.to_owned()), ..Verdict::default() };
    let hit = || when("大桥");
    let miss = || when("足球");
    for (name, rules, want) in [
        ("none", vec![], verdict(&[])),
        ("drop", vec![rule("a", hit(), Action::Drop)], dropped("a")),
        ("drop that misses", vec![rule("a", miss(), Action::Drop)], verdict(&[])),
        (
            "keep goes before drop",
            vec![rule("a", hit(), Action::Keep), rule("b", hit(), Action::Drop)],
            verdict(&["a"]),
        ),
        ("only these", vec![rule("a", miss(), Action::KeepOnly)], dropped("a")),
        ("only these, and it is", vec![rule("a", hit(), Action::KeepOnly)], verdict(&[])),
        (
            "move, later add",
            vec![rule("a", hit(), Action::Move(sports())), rule("b", hit(), Action::Add(target("头条")))],
            Verdict { moved: Some(sports()), added: vec![target("头条")], ..verdict(&["a", "b"]) },
        ),
        (
            "tag is seen by later rules",
            vec![
                rule("a", hit(), Action::Tag("桥".to_owned())),
                rule("b", Condition { fields: vec![Field::Tag], ..when("桥") }, Action::Drop),
            ],
            Verdict { dropped: Some("b".to_owned()), tags: vec!["桥".to_owned()], ..verdict(&["a"]) },
        ),
        (
            "rewrite a title",
            vec![rule("a", Condition::default(), change("^西海都市报：", Field::Title, ""))],
            Verdict { title: Some("大桥合龙".to_owned()), ..verdict(&["a"]) },
        ),
        (
            "rewrite a link with a group",
            vec![rule("a", hit(), change(r"^(.*)\?from=rss$", Field::Link, "$1"))],
            Verdict { link: Some("https://paper.example/news/1".to_owned()), ..verdict(&["a"]) },
        ),
        (
            "rewrite a text, with its markup",
            vec![rule("a", hit(), change("，Free Tickets", Field::Text, ""))],
            Verdict { html: Some("<p>昨日<b>合龙</b>。</p>".to_owned()), ..verdict(&["a"]) },
        ),
        (
            "a rewrite that changes nothing",
            vec![rule("a", hit(), change("足球", Field::Title, ""))],
            verdict(&[]),
        ),
    ] {
        assert_eq!(judge(rules), want, "{name}");
    }
}

#[test]
fn levels_and_their_order() {
    let at =
        |name: &str, level: Level, action: Action| Rule { level, ..rule(name, Condition::default(), action) };
    let category = |name: &str| Level::Category(Slug::from_name(name));
    let tag = |tag: &str| Action::Tag(tag.to_owned());
    let verdict = judge(vec![
        at("category", category("西海都市报"), tag("3")),
        at("source", Level::Source(source()), tag("2")),
        at("other source", Level::Source(SourceId::new("other").unwrap()), Action::Drop),
        at("other category", category("别处"), Action::Drop),
        at("global", Level::Global, tag("1")),
    ]);
    assert_eq!(verdict.applied, ["global", "source", "category"]);
    // A moved item meets the rules of its new category.
    let verdict = judge(vec![
        at("old", category("西海都市报"), Action::Drop),
        at("new", category("体育"), tag("体育")),
        at("move", Level::Global, Action::Move(target("体育"))),
    ]);
    assert_eq!((verdict.applied.join(" "), verdict.dropped.is_none()), ("move new".to_owned(), true));
    assert_eq!(verdict.told(), "rules applied: `move`, `new`");
}
