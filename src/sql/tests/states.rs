//! What holds state, what bounds it, and how rows change: files under `tests/it/sql/state`.

use super::*;

/// Definitions, then queries with a line behind each that says what is found.
fn check(name: &str) {
    let text = fixture(&format!("state/{name}.sql"));
    let (definitions, queries) = text.split_once("\n\n").expect("an empty line behind the definitions");
    let parsed = parse(definitions);
    assert_eq!(parsed.diagnostics(), [], "{name}");
    let mut known = Definitions::default();
    parsed.statements().iter().for_each(|statement| known.add(statement));
    let mut found = String::new();
    for line in queries.lines().filter(|line| !line.starts_with("--> ")) {
        found += line;
        found.push('\n');
        if !line.starts_with("--") {
            found += &format!("--> {}\n", said(line, &known));
        }
    }
    let differ = found.lines().zip(queries.lines()).find(|(found, wanted)| found != wanted);
    assert_eq!(differ, None, "{name}");
    assert_eq!(found, queries, "{name}");
}

/// As `append; interval join (interval)`.
fn said(query: &str, known: &Definitions) -> String {
    let statement = one(query);
    let [changelog] = changelogs(&statement, known).try_into().expect("one query");
    let mut held: Vec<String> = Vec::new();
    for used in state(&statement, known) {
        let one = format!("{} ({})", used.operator.name(), used.bounded_by.name());
        if !held.contains(&one) {
            held.push(one);
        }
    }
    let mut said = changelog.mode.name().to_owned();
    if !held.is_empty() {
        said += &format!("; {}", held.join(", "));
    }
    for assumed in &changelog.assumes {
        let via = assumed.via.as_ref().map(|via| format!(" in {via}")).unwrap_or_default();
        said += &format!("; if {}{via} is no aggregate", assumed.function);
    }
    said
}

/// A changelog with a primary key is made whole where jobs are told that its changes may come twice.
#[test]
fn changes_that_may_come_twice_are_made_whole() {
    let parsed = parse(
        "CREATE TABLE cdc (id BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'kafka', 'format' = 'debezium-json');
         CREATE TABLE keyless (id BIGINT) WITH ('connector' = 'kafka', 'format' = 'debezium-json');
         CREATE TABLE log (id BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'kafka', 'format' = 'json');
         CREATE VIEW seen AS SELECT id FROM cdc;",
    );
    let mut known = Definitions::default();
    parsed.statements().iter().for_each(|statement| known.add(statement));
    assert_eq!(said("SELECT id FROM seen", &known), "upsert");
    let known = known.with_duplicates(true);
    assert_eq!(said("SELECT id FROM cdc", &known), "upsert; changelog normalise (ttl)");
    assert_eq!(said("SELECT id FROM seen", &known), "upsert; changelog normalise (ttl)");
    assert_eq!(said("SELECT id FROM keyless", &known), "retract");
    assert_eq!(said("SELECT id FROM log", &known), "append");
}

macro_rules! cases {
    ($($name:ident,)*) => {
        $(#[test] fn $name() { check(stringify!($name)); })*

        #[test]
        fn every_file_is_a_test() {
            assert_eq!(fixtures("state"), [$(stringify!($name)),*]);
        }
    };
}

cases! {
    functions,
    orders,
    outer_joins,
    queries_of_each_row,
    sources,
    times_in_joins,
    windows,
}
