use super::*;
use crate::diagnostic::Edit;

/// `table.column as output[: expression]`
fn carried(spec: &str, text: &str) -> Result<Carried, CannotCarry> {
    let (names, expr) = spec.split_once(": ").map_or((spec, None), |(names, expr)| (names, Some(expr)));
    let (source, output) = names.split_once(" as ").expect("a.b as c");
    let (from_table, column) = source.split_once('.').expect("a.b");
    let StatementKind::Insert(insert) = one(text).kind else { panic!("an insert: {text}") };
    carry(text, &insert, Carry { from_table, column, expr, output, names: None }, &Catalog::default())
}

fn applied(text: &str, edits: &[Edit]) -> String {
    apply(text, edits).expect("edits that fit")
}

fn check(name: &str) {
    let text = fixture(&format!("carry/{name}.sql"));
    let (spec, text) = text.strip_prefix("-- carry: ").and_then(|t| t.split_once('\n')).expect("-- carry: a.b as c");
    let (before, after) = text.split_once("-- becomes\n").expect("-- becomes");
    assert_eq!(applied(before, &carried(spec, before).expect("a way").edits), after);
    // The result has one column more at its end, made of the carried one; the others are what they were.
    let source = spec.split([' ', ':']).next().expect("a.b");
    let outputs = |text: &str| lineage(&query(text), &Catalog::default()).outputs;
    let (old, new) = (outputs(before), outputs(after));
    if before != after {
        assert_eq!(new.len(), old.len() + 1);
        let uses: Vec<String> =
            new.last().map(|o| &o.uses).into_iter().flatten().map(|u| format!("{}.{}", u.table, u.column)).collect();
        assert!(uses.contains(&source.to_owned()), "{source} in {uses:?}");
        let names = |outputs: &[OutputColumn]| outputs.iter().map(|o| o.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&new)[..old.len()], names(&old)[..]);
    }
}

macro_rules! cases {
    ($($name:ident,)*) => {
        $(#[test] fn $name() { check(stringify!($name)); })*

        #[test]
        fn every_file_is_a_test() {
            assert_eq!(fixtures("carry"), [$(stringify!($name)),*]);
        }
    };
}

cases! {
    a_case_over_several_lines,
    a_default_around_it,
    a_derived_table_with_alias_columns,
    a_join_qualifies_it,
    a_name_that_needs_backquotes,
    an_expression_above_select_star,
    beside_another_way_that_is_grouped,
    commas_in_front,
    every_branch_of_union_all,
    one_source_without_an_alias,
    select_star_hands_it_on,
    through_a_derived_table,
    through_a_window_function_of_a_table,
    through_ctes_with_column_lists,
}

fn refused(text: &str) -> String {
    carried("t.x as x", text).expect_err(text).reason
}

#[test]
fn where_rows_are_not_kept_there_is_a_reason() {
    for (text, reason) in [
        ("INSERT INTO s SELECT a, COUNT(*) FROM t GROUP BY a", "grouped"),
        ("INSERT INTO s SELECT COUNT(*) FROM t", "aggregated into one"),
        ("INSERT INTO s SELECT DISTINCT a FROM t", "DISTINCT"),
        ("INSERT INTO s SELECT a FROM t UNION SELECT a FROM t", "set operation"),
        ("INSERT INTO s SELECT a FROM t EXCEPT SELECT a FROM u", "set operation"),
        ("INSERT INTO s SELECT a FROM t UNION ALL SELECT a FROM u", "not every branch"),
        ("INSERT INTO s SELECT a, 1 AS x FROM t", "`x` already"),
        ("INSERT INTO s SELECT a, x FROM t", "`x` already"),
        ("INSERT INTO s (a, x) SELECT a, b FROM t", "written already"),
        ("INSERT INTO s SELECT a FROM u WHERE b IN (SELECT b FROM t)", "in a condition only"),
        ("INSERT INTO s SELECT a FROM u", "not read here"),
        ("INSERT INTO s SELECT l.a FROM t AS l JOIN t AS r ON l.id = r.parent", "more than once"),
        (
            "INSERT INTO s SELECT m.p FROM t MATCH_RECOGNIZE (ORDER BY ts MEASURES A.p AS p PATTERN (A) DEFINE A AS TRUE) AS m",
            "MATCH_RECOGNIZE",
        ),
        ("INSERT INTO s SELECT * FROM t JOIN u ON t.id = u.id", "in the middle"),
        ("INSERT INTO s SELECT *, 1 FROM t", "in the middle"),
        ("INSERT INTO s SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR)", "in the middle"),
        ("INSERT INTO s SELECT * FROM f(TABLE t)", "not known which columns"),
        ("INSERT INTO s VALUES (1)", "VALUES"),
        ("INSERT INTO s WITH t AS (SELECT 1 AS a) SELECT a FROM t", "not read here"),
    ] {
        let why = refused(text);
        assert!(why.contains(reason), "{text}: {why}");
    }
}

#[test]
fn an_expression_cannot_be_put_around_select_star() {
    let why = carried("t.x as x: COALESCE({}, 1)", "INSERT INTO s SELECT * FROM t").expect_err("a star").reason;
    assert!(why.contains("list the columns"), "{why}");
}

#[test]
fn the_outer_side_of_a_join_is_remarked() {
    for text in [
        "INSERT INTO s SELECT u.a FROM u LEFT JOIN t ON u.id = t.id",
        "INSERT INTO s SELECT u.a FROM t RIGHT JOIN u ON u.id = t.id",
        "INSERT INTO s SELECT u.a FROM t JOIN v ON TRUE FULL JOIN u ON u.id = t.id",
        "INSERT INTO s SELECT u.a FROM u LEFT JOIN (t JOIN v ON TRUE) ON u.id = t.id",
    ] {
        let carried = carried("t.x as x", text).expect(text);
        assert!(carried.notes.iter().any(|n| n.contains("NULL where no row of `t` matches")), "{text}: {carried:?}");
        assert!(applied(text, &carried.edits).contains("u.a, t.x FROM"), "{text}");
    }
    let text = "INSERT INTO s SELECT u.a FROM t LEFT JOIN u ON u.id = t.id";
    assert_eq!(carried("t.x as x", text).expect(text).notes, Vec::<String>::new());
}

#[test]
fn a_star_over_a_table_whose_new_column_is_not_last_is_refused() {
    let text = "INSERT INTO s SELECT * FROM t";
    let StatementKind::Insert(insert) = one(text).kind else { panic!("an insert") };
    let way = |catalog| carry_column(text, &insert, "t", "x", None, "x", &catalog);
    assert_eq!(way(catalog(&["t(a, x)"])), Ok(Vec::new()));
    assert!(way(catalog(&["t(a, x, computed)"])).is_err());
    assert!(way(catalog(&["t(a, x)", "s(x, a)"])).is_err());
}

#[test]
fn a_view_gets_it_in_query_and_column_list() {
    let text = "CREATE VIEW v (a) AS SELECT id FROM t";
    let StatementKind::CreateView(view) = one(text).kind else { panic!("a view") };
    let what = Carry { from_table: "t", column: "x", expr: None, output: "y", names: None };
    let edits = carry_view(text, &view, what, &Catalog::default()).expect("a way").edits;
    assert_eq!(applied(text, &edits), "CREATE VIEW v (a, y) AS SELECT id, x AS y FROM t");
}

/// The planner joins the edits of several columns at one place, in order.
#[test]
fn two_columns_can_be_joined_at_one_place() {
    let text = "INSERT INTO s\nSELECT\n  a, -- first\n  b -- last\nFROM t";
    let first = carried("t.x as x", text).expect("a way").edits;
    let second = carried("t.y as y", text).expect("a way").edits;
    assert_eq!(first[0].span, second[0].span);
    let both = Edit { span: first[0].span, text: first[0].text.clone() + &second[0].text };
    assert_eq!(applied(text, &[both]), "INSERT INTO s\nSELECT\n  a, -- first\n  b -- last\n  , x\n  , y\nFROM t");
}

#[test]
fn tables_may_be_renamed_in_the_same_go() {
    let names = [("t", "t_v2"), ("u", "u_v2"), ("s", "s_v2")].map(|(old, new)| (old.to_owned(), new.to_owned())).into();
    for (text, wanted) in [
        (
            "INSERT INTO s SELECT u.a FROM u JOIN t ON t.id = u.id",
            "INSERT INTO s_v2 SELECT u_v2.a, t_v2.x FROM u_v2 JOIN t_v2 ON t_v2.id = u_v2.id",
        ),
        (
            "INSERT INTO s SELECT t.* FROM u JOIN t ON TRUE",
            "INSERT INTO s_v2 SELECT t_v2.* FROM u_v2 JOIN t_v2 ON TRUE",
        ),
        ("INSERT INTO s SELECT q.a FROM t AS q, u", "INSERT INTO s_v2 SELECT q.a, q.x FROM t_v2 AS q, u_v2"),
        (
            "INSERT INTO s WITH t AS (SELECT t.a FROM t) SELECT t.a FROM t",
            "INSERT INTO s_v2 WITH t AS (SELECT t_v2.a, t_v2.x FROM t_v2) SELECT t.a, t.x FROM t",
        ),
    ] {
        let statement = one(text);
        let StatementKind::Insert(insert) = &statement.kind else { panic!("an insert: {text}") };
        let what = Carry { from_table: "t", column: "x", expr: None, output: "x", names: Some(&names) };
        let mut edits = rename_tables(&statement, &names);
        edits.extend(carry(text, insert, what, &Catalog::default()).expect(text).edits);
        assert_eq!(applied(text, &edits), wanted);
    }
}
