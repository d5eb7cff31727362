use std::collections::BTreeMap;

use super::*;

/// The names to put in place, the text before and the text after.
fn case(name: &str) -> (BTreeMap<String, String>, String, String) {
    let text = fixture(&format!("rename/{name}.sql"));
    let (names, text) = text.strip_prefix("-- rename: ").and_then(|t| t.split_once('\n')).expect("-- rename: a -> b");
    let names = names.split(", ").map(|pair| pair.split_once(" -> ").expect("a -> b"));
    let (before, after) = text.split_once("-- becomes\n").expect("-- becomes");
    (names.map(|(old, new)| (old.to_owned(), new.to_owned())).collect(), before.to_owned(), after.to_owned())
}

fn check(name: &str) {
    let (names, before, after) = case(name);
    let parsed = parse(&before);
    assert_eq!(parsed.diagnostics(), [], "{before}");
    let edits: Vec<_> = parsed.statements().iter().flat_map(|s| rename_tables(s, &names)).collect();
    assert_eq!(apply(&before, &edits).expect("edits that fit"), after);
    // The other way round: every name that was put in is found again, and nothing else.
    let back: BTreeMap<String, String> = names.into_iter().map(|(old, new)| (new, old)).collect();
    let parsed = parse(&after);
    let edits: Vec<_> = parsed.statements().iter().flat_map(|s| rename_tables(s, &back)).collect();
    let plain = |text: &str| text.replace('`', "");
    assert_eq!(plain(&apply(&after, &edits).expect("edits that fit")), plain(&before));
}

macro_rules! cases {
    ($($name:ident,)*) => {
        $(#[test] fn $name() { check(stringify!($name)); })*

        #[test]
        fn every_file_is_a_test() {
            assert_eq!(fixtures("rename"), [$(stringify!($name)),*]);
        }
    };
}

cases! {
    a_column_or_alias_of_the_same_name,
    a_comma_join,
    a_cte_ends_with_its_query,
    a_cte_that_shadows_a_table,
    a_name_in_the_comment_above_the_ddl,
    a_name_that_is_the_prefix_of_another,
    a_new_name_that_needs_backquotes,
    a_self_join_without_an_alias,
    a_statement_set,
    a_subquery_names_the_outer_table,
    a_table_function_with_named_arguments,
    drop_follows_the_new_name,
    hints_that_name_tables,
    lateral_table,
    merge_in_every_role,
    names_in_comments,
    names_in_literals,
    set_operations_and_views,
    table_arguments_in_their_other_forms,
    tables_outside_of_flink,
    temporal_and_pattern_sources,
    three_part_and_backquoted_names,
    windows_line_ends_and_a_byte_order_mark,
}

/// A diamond (a feeds c and d, c feeds d): d has to read green a *and* green c.
#[test]
fn a_diamond_reads_green_on_both_ways() {
    let names: BTreeMap<String, String> =
        ["a", "c", "d"].into_iter().map(|n| (n.to_owned(), format!("{n}_v2"))).collect();
    let text = "INSERT INTO d SELECT a.x, c.y FROM a JOIN c ON a.id = c.id";
    let edits = rename_tables(&one(text), &names);
    let green = apply(text, &edits).expect("edits that fit");
    assert_eq!(green, "INSERT INTO d_v2 SELECT a_v2.x, c_v2.y FROM a_v2 JOIN c_v2 ON a_v2.id = c_v2.id");
    let read: Vec<String> = table_refs(&one(&green)).iter().map(|r| r.name.dotted()).collect();
    assert_eq!(read, ["a_v2", "c_v2"]);
}

#[test]
fn references_with_their_aliases() {
    let statement = one("INSERT INTO s SELECT * FROM a AS x JOIN db.b ON TRUE WHERE k IN (SELECT k FROM c)");
    let refs: Vec<(String, Option<String>)> =
        table_refs(&statement).into_iter().map(|r| (r.name.dotted(), r.alias.map(|a| a.name))).collect();
    let x = Some("x".to_owned());
    assert_eq!(refs, [("a".to_owned(), x), ("db.b".to_owned(), None), ("c".to_owned(), None)]);
}

/// The roles that a table can have, each with the names that are the table between «».
#[test]
fn a_table_is_renamed_in_every_role_and_nothing_else_is() {
    let file = fixture("roles.sql");
    for case in file.split("-- role: ").skip(1) {
        let (role, marked) = case.split_once('\n').expect("a role and a statement");
        let text = marked.replace(['«', '»'], "");
        let wanted = marked.replace("«orders»", "orders_v2").replace("«`orders`»", "`orders_v2`");
        assert!(!wanted.contains('«'), "{role}: {marked}");
        let statement = one(&text);
        assert_eq!(EditSet::new(&text).rename_table(&statement, "orders", "orders_v2").apply(), Ok(wanted), "{role}");
    }
}

#[test]
fn a_new_name_that_means_something_else_is_refused() {
    let rename = |text: &str, names: &[(&str, &str)]| {
        let names = names.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect();
        EditSet::new(text).rename_tables(&one(text), &names).apply()
    };
    for text in [
        "WITH b AS (SELECT 1 AS x) SELECT a.x FROM a, b",
        "SELECT a.x FROM a, s AS b",
        "SELECT s.x FROM s AS b, s WHERE EXISTS (SELECT 1 FROM a AS b WHERE b.x = s.x) AND s.y IN (SELECT a.y FROM r AS b, a)",
        "SELECT a.x, b.x FROM a JOIN b ON a.id = b.id",
    ] {
        let why = rename(text, &[("a", "b")]).expect_err(text).to_string();
        assert!(why.starts_with("cannot rename table a: `b` would mean something else here"), "{why}");
    }
    // Columns, texts and other databases do not matter, nor does a name that is free by then.
    assert_eq!(
        rename("SELECT a.b AS b, 'b' FROM a -- b", &[("a", "b")]).as_deref(),
        Ok("SELECT b.b AS b, 'b' FROM b -- b")
    );
    assert_eq!(
        rename("SELECT a.x, b.x FROM a JOIN b ON a.id = b.id", &[("a", "b"), ("b", "a")]).as_deref(),
        Ok("SELECT b.x, a.x FROM b JOIN a ON b.id = a.id")
    );
    assert_eq!(rename("INSERT INTO b SELECT x FROM a", &[("a", "b")]).as_deref(), Ok("INSERT INTO b SELECT x FROM b"));
}
