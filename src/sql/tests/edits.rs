use super::*;
use crate::diagnostic::{Edit, Span};
use crate::model::column::{Column, ColumnType, Nullable};

fn edit(start: usize, end: usize, text: &str) -> Edit {
    Edit { span: Span::new(start, end), text: text.to_owned() }
}

#[test]
fn edits_in_any_order_give_the_same_text() {
    let edits = [edit(0, 1, "X"), edit(2, 2, "-"), edit(2, 3, "Y"), edit(4, 4, "Z")];
    let mut turned = edits.clone();
    turned.reverse();
    assert_eq!(apply("abcd", &edits).as_deref(), Ok("Xb-YdZ"));
    assert_eq!(apply("abcd", &turned), apply("abcd", &edits));
}

#[test]
fn edits_that_overlap_are_an_error() {
    for edits in [
        [edit(0, 2, "x"), edit(1, 3, "y")],
        [edit(0, 3, "x"), edit(1, 2, "y")],
        [edit(1, 1, "x"), edit(1, 1, "y")],
        [edit(0, 2, "x"), edit(1, 1, "y")],
        [edit(0, 2, "x"), edit(0, 2, "x")],
    ] {
        assert!(matches!(apply("abcd", &edits), Err(EditError::Overlap { .. })), "{edits:?}");
    }
    let apart = [edit(0, 2, "x"), edit(2, 4, "y"), edit(4, 4, "z")];
    assert_eq!(apply("abcd", &apart).as_deref(), Ok("xyz"));
}

#[test]
fn edits_beside_the_text_are_an_error() {
    for bad in [edit(3, 9, ""), edit(9, 9, ""), edit(3, 2, ""), edit(1, 1, "")] {
        assert!(matches!(apply("é1", std::slice::from_ref(&bad)), Err(EditError::OutOfRange { .. })), "{bad:?}");
    }
}

/// A table's text after operations.
fn changed(
    text: &str,
    make: impl FnOnce(&mut EditSet<'_>, &CreateTable) -> Result<(), CannotEdit>,
) -> Result<String, CannotEdit> {
    let mut edits = EditSet::new(text);
    make(&mut edits, &table(text))?;
    edits.apply()
}

fn with_option(text: &str, key: &str, value: &str) -> String {
    EditSet::new(text).set_option(&table(text), key, value).apply().expect("an edit that fits")
}

#[test]
fn an_option_is_replaced_in_place() {
    let text = "CREATE TABLE t (a INT) WITH ('topic'   =   'o''ld' /* c */, 'b' = 'c')";
    assert_eq!(
        with_option(text, "topic", "n'ew"),
        "CREATE TABLE t (a INT) WITH ('topic'   =   'n''ew' /* c */, 'b' = 'c')"
    );
}

#[test]
fn a_new_option_is_set_out_like_the_others() {
    let text = "CREATE TABLE t (a INT) WITH (\n    'a' = 'b',\n    'c' = 'd'\n);";
    assert_eq!(
        with_option(text, "e", "f"),
        "CREATE TABLE t (a INT) WITH (\n    'a' = 'b',\n    'c' = 'd',\n    'e' = 'f'\n);"
    );
    let text = "CREATE TABLE t (a INT) WITH ('a' = 'b')";
    assert_eq!(with_option(text, "e", "f"), "CREATE TABLE t (a INT) WITH ('a' = 'b', 'e' = 'f')");
    let text = "CREATE TABLE t (a INT) WITH ()";
    assert_eq!(with_option(text, "e", "f"), "CREATE TABLE t (a INT) WITH ('e' = 'f')");
    let text = "CREATE TABLE t (a INT) WITH (\r\n  'a' = 'b' -- last\r\n)";
    assert_eq!(
        with_option(text, "e", "f"),
        "CREATE TABLE t (a INT) WITH (\r\n  'a' = 'b' -- last\r\n  , 'e' = 'f'\r\n)"
    );
    for text in ["CREATE TABLE t (a INT)", "CREATE TABLE t (a INT) LIKE u", "CREATE TABLE t LIKE u (INCLUDING ALL)"] {
        let changed = with_option(text, "e", "f");
        assert_eq!(table(&changed).option("e").map(|o| o.value.as_str()), Some("f"), "{changed}");
    }
}

fn with_column(text: &str, name: &str, ty: ColumnType) -> String {
    let column = Column::nullable(name, ty.clone());
    let changed =
        changed(text, |edits, table| edits.add_column(table, &column).map(|_| ())).expect("an edit that fits");
    let added = table(&changed).physical();
    assert_eq!(added.last(), Some(&Column::nullable(name, ty)), "{changed}");
    changed
}

#[test]
fn a_column_goes_after_the_last_physical_one() {
    let text = "CREATE TABLE t (\n    id    BIGINT NOT NULL,\n    price DECIMAL(10, 2), -- net\n    PRIMARY KEY (id) NOT ENFORCED\n)";
    let wanted = "CREATE TABLE t (\n    id    BIGINT NOT NULL,\n    price DECIMAL(10, 2), -- net\n    tier  STRING,\n    PRIMARY KEY (id) NOT ENFORCED\n)";
    assert_eq!(with_column(text, "tier", ColumnType::String), wanted);
    assert_eq!(
        with_column("CREATE TABLE t (a INT, b AS a + 1, WATERMARK FOR b AS b)", "c", ColumnType::Int),
        "CREATE TABLE t (a INT, c INT, b AS a + 1, WATERMARK FOR b AS b)"
    );
    assert_eq!(
        with_column("CREATE TABLE t (\n  a INT\n)", "c", ColumnType::Int),
        "CREATE TABLE t (\n  a INT,\n  c INT\n)"
    );
    assert_eq!(
        with_column("CREATE TABLE t (\n  a INT -- one\n)", "c", ColumnType::Int),
        "CREATE TABLE t (\n  a INT -- one\n  , c INT\n)"
    );
    assert_eq!(
        with_column("CREATE TABLE t (\n  a INT -- one\n  , PRIMARY KEY (a) NOT ENFORCED)", "c", ColumnType::Int),
        "CREATE TABLE t (\n  a INT -- one\n  , c INT\n  , PRIMARY KEY (a) NOT ENFORCED)"
    );
    assert_eq!(
        with_column(
            "CREATE TABLE t (\n    a INT\n  , b INT\n  , PRIMARY KEY (a) NOT ENFORCED\n)",
            "c",
            ColumnType::Int
        ),
        "CREATE TABLE t (\n    a INT\n  , b INT\n  , c INT\n  , PRIMARY KEY (a) NOT ENFORCED\n)"
    );
    assert_eq!(with_column("CREATE TABLE t (a INT)", "date", ColumnType::Date), "CREATE TABLE t (a INT, `date` DATE)");
    for text in ["CREATE TABLE t", "CREATE TABLE t (b AS PROCTIME())", "CREATE TABLE t (\n  b AS PROCTIME()\n)"] {
        with_column(text, "c", ColumnType::Int);
    }
}

#[test]
fn a_new_column_stands_in_front_of_the_comments_above_the_next_item() {
    let text = "CREATE TABLE t (\n   a INT -- a\n -- above\n , WATERMARK FOR ts AS ts\n)";
    assert_eq!(
        with_column(text, "n", ColumnType::Date),
        "CREATE TABLE t (\n   a INT -- a\n , n DATE\n -- above\n , WATERMARK FOR ts AS ts\n)"
    );
    // The same in two steps: the column in front of it, which has no comma of its own, goes first.
    let both = "CREATE TABLE t (\n   c INT\n , a INT -- a\n -- above\n , WATERMARK FOR ts AS ts\n)";
    assert_eq!(without(both, &["c"]).as_deref(), Ok(text));
    // A comma on a line of its own is the one behind the item.
    let text = "CREATE TABLE t (\n  a INT\n  ,\n  WATERMARK FOR ts AS ts\n)";
    assert_eq!(
        with_column(text, "n", ColumnType::Date),
        "CREATE TABLE t (\n  a INT\n  ,\n  n DATE,\n  WATERMARK FOR ts AS ts\n)"
    );
}

#[test]
fn several_options_and_columns_where_there_were_none() {
    let text = "CREATE TABLE t";
    let both = changed(text, |edits, table| {
        edits.set_option(table, "a", "1").set_option(table, "b", "2");
        edits.add_column(table, &Column::nullable("x", ColumnType::Int))?;
        edits.add_column(table, &Column::nullable("y", ColumnType::Int))?;
        Ok(())
    });
    assert_eq!(both.as_deref(), Ok("CREATE TABLE t (x INT, y INT) WITH (\n  'a' = '1',\n  'b' = '2'\n)"));
    let text = "CREATE TABLE t (a INT) WITH () -- nothing yet";
    let two = EditSet::new(text).set_option(&table(text), "a", "1").set_option(&table(text), "b", "2").apply();
    assert_eq!(two.as_deref(), Ok("CREATE TABLE t (a INT) WITH ('a' = '1', 'b' = '2') -- nothing yet"));
    let StatementKind::CreateTableAs(ctas) = one("CREATE TABLE t COMMENT 'c' AS SELECT a FROM s").kind else {
        panic!("a CTAS")
    };
    assert_eq!(
        EditSet::new("CREATE TABLE t COMMENT 'c' AS SELECT a FROM s")
            .set_option(&ctas.table, "k", "v")
            .apply()
            .as_deref(),
        Ok("CREATE TABLE t COMMENT 'c' WITH (\n  'k' = 'v'\n) AS SELECT a FROM s")
    );
}

fn without(text: &str, columns: &[&str]) -> Result<String, CannotEdit> {
    changed(text, |edits, table| columns.iter().try_for_each(|column| edits.remove_column(table, column).map(|_| ())))
}

#[test]
fn a_column_goes_with_its_comma_its_line_and_the_comments_on_it() {
    let text = "\
CREATE TABLE t (
    a INT, -- one
    -- about b
    b INT, /* two */ -- more
    c ROW<x INT, y INT> COMMENT ', c',
    d INT -- four
) WITH ('k' = 'v')";
    let cases: &[(&[&str], &str)] = &[
        (
            &["a"],
            "    -- about b\n    b INT, /* two */ -- more\n    c ROW<x INT, y INT> COMMENT ', c',\n    d INT -- four\n",
        ),
        (&["b"], "    a INT, -- one\n    -- about b\n    c ROW<x INT, y INT> COMMENT ', c',\n    d INT -- four\n"),
        (&["c"], "    a INT, -- one\n    -- about b\n    b INT, /* two */ -- more\n    d INT -- four\n"),
        (
            &["d"],
            "    a INT, -- one\n    -- about b\n    b INT, /* two */ -- more\n    c ROW<x INT, y INT> COMMENT ', c'\n",
        ),
        (&["d", "b"], "    a INT, -- one\n    -- about b\n    c ROW<x INT, y INT> COMMENT ', c'\n"),
        (&["c", "d"], "    a INT, -- one\n    -- about b\n    b INT /* two */ -- more\n"),
        (&["a", "c", "b"], "    -- about b\n    d INT -- four\n"),
    ];
    for (columns, wanted) in cases {
        let wanted = format!("CREATE TABLE t (\n{wanted}) WITH ('k' = 'v')");
        assert_eq!(without(text, columns).as_deref(), Ok(wanted.as_str()), "{columns:?}");
        let windows = |text: &str| text.replace('\n', "\r\n");
        assert_eq!(without(&windows(text), columns), Ok(windows(&wanted)), "{columns:?}");
    }
}

#[test]
fn a_column_goes_from_a_list_with_commas_in_front() {
    let text = "CREATE TABLE t (\n    a INT -- one\n  , b INT -- two\n  -- about c\n  , c INT\n)";
    for (column, wanted) in [
        ("a", "CREATE TABLE t (\n    b INT -- two\n  -- about c\n  , c INT\n)"),
        ("b", "CREATE TABLE t (\n    a INT -- one\n  -- about c\n  , c INT\n)"),
        ("c", "CREATE TABLE t (\n    a INT -- one\n  , b INT -- two\n  -- about c\n)"),
    ] {
        assert_eq!(without(text, &[column]).as_deref(), Ok(wanted));
    }
}

#[test]
fn a_column_goes_from_one_line() {
    for (text, column, wanted) in [
        ("CREATE TABLE t (a INT, b INT, c INT)", "a", "CREATE TABLE t (b INT, c INT)"),
        ("CREATE TABLE t (a INT, b INT, c INT)", "b", "CREATE TABLE t (a INT, c INT)"),
        ("CREATE TABLE t (a INT, b INT, c INT)", "c", "CREATE TABLE t (a INT, b INT)"),
        ("CREATE TABLE t ( a INT , b INT )", "b", "CREATE TABLE t ( a INT )"),
        ("CREATE TABLE t ( a INT , b INT )", "a", "CREATE TABLE t ( b INT )"),
        ("CREATE TABLE t (a INT,b INT,c INT)", "b", "CREATE TABLE t (a INT,c INT)"),
        ("CREATE TABLE t (a INT /* A */, /* B */ b INT)", "a", "CREATE TABLE t (/* B */ b INT)"),
        ("CREATE TABLE t (a INT /* A */, /* B */ b INT)", "b", "CREATE TABLE t (a INT /* A */)"),
        ("CREATE TABLE t (a INT,\n  b INT, c INT,\n  d INT)", "b", "CREATE TABLE t (a INT,\n  c INT,\n  d INT)"),
        ("CREATE TABLE t (a INT,\n  b INT, c INT,\n  d INT)", "c", "CREATE TABLE t (a INT,\n  b INT,\n  d INT)"),
        ("CREATE TABLE t (a INT, b AS PROCTIME())", "a", "CREATE TABLE t (b AS PROCTIME())"),
        (
            "CREATE TABLE t (a INT, b INT, PRIMARY KEY (a) NOT ENFORCED)",
            "b",
            "CREATE TABLE t (a INT, PRIMARY KEY (a) NOT ENFORCED)",
        ),
    ] {
        assert_eq!(without(text, &[column]).as_deref(), Ok(wanted));
    }
}

#[test]
fn a_column_that_is_used_stays() {
    for (text, why) in [
        ("CREATE TABLE t (a INT)", "cannot remove column `a`: the table would have no column"),
        ("CREATE TABLE t (a INT, WATERMARK FOR b AS b)", "cannot remove column `a`: the table would have no column"),
        ("CREATE TABLE t (b INT)", "cannot remove column `a`: `t` has no such column"),
        ("CREATE TABLE t (b INT) LIKE s", "cannot remove column `a`: it is not defined here; it may come from LIKE"),
        (
            "CREATE TABLE t (a INT, b INT, PRIMARY KEY (b, a) NOT ENFORCED)",
            "cannot remove column `a`: PRIMARY KEY uses it",
        ),
        ("CREATE TABLE t (a INT PRIMARY KEY NOT ENFORCED, b INT)", "cannot remove column `a`: PRIMARY KEY uses it"),
        ("CREATE TABLE t (a TIMESTAMP(3), b INT, WATERMARK FOR a AS a)", "cannot remove column `a`: WATERMARK uses it"),
        (
            "CREATE TABLE t (a ROW<x TIMESTAMP(3)>, b INT, WATERMARK FOR a.x AS b)",
            "cannot remove column `a`: WATERMARK uses it",
        ),
        (
            "CREATE TABLE t (b TIMESTAMP(3), a INT, WATERMARK FOR b AS b - f(a))",
            "cannot remove column `a`: WATERMARK uses it",
        ),
        (
            "CREATE TABLE t (a INT, b INT) DISTRIBUTED BY HASH(a) INTO 4 BUCKETS",
            "cannot remove column `a`: DISTRIBUTED BY uses it",
        ),
        ("CREATE TABLE t (a INT, b INT) PARTITIONED BY (b, `a`)", "cannot remove column `a`: PARTITIONED BY uses it"),
        (
            "CREATE TABLE t (a ROW<x INT>, b AS CASE WHEN a.x > 1 THEN 2 END)",
            "cannot remove column `a`: computed column `b` uses it",
        ),
    ] {
        assert_eq!(without(text, &["a"]).expect_err(text).to_string(), why, "{text}");
    }
    // One after the other, too: the last one stays.
    assert!(without("CREATE TABLE t (a INT, b INT)", &["b"]).is_ok());
    assert!(without("CREATE TABLE t (a INT, b INT)", &["b", "a"]).is_err());
}

#[test]
fn what_looks_like_the_column_is_not_it() {
    let text = "CREATE TABLE t (a INT, b ROW<a INT>, c AS b.a, d AS f('a')) COMMENT 'a' WITH ('a' = 'a')";
    let wanted = "CREATE TABLE t (b ROW<a INT>, c AS b.a, d AS f('a')) COMMENT 'a' WITH ('a' = 'a')";
    assert_eq!(without(text, &["a"]).as_deref(), Ok(wanted));
}

#[test]
fn a_column_gets_another_type_or_name() {
    let text = "CREATE TABLE t (\n  a   INT NOT NULL COMMENT 'A', -- one\n  b ROW<x INT, y MAP<INT, INT>> METADATA FROM 'b' VIRTUAL,\n  c AS `a` + 1,\n  PRIMARY KEY (a) NOT ENFORCED\n) PARTITIONED BY (a)";
    let long = Nullable { ty: ColumnType::BigInt, nullable: true };
    let both = changed(text, |edits, table| {
        edits.set_type(table, "a", &long)?.set_type(table, "b", &long)?.rename_column(table, "a", "key of t")?;
        Ok(())
    });
    let wanted = "CREATE TABLE t (\n  `key of t`   BIGINT COMMENT 'A', -- one\n  b BIGINT METADATA FROM 'b' VIRTUAL,\n  c AS `key of t` + 1,\n  PRIMARY KEY (`key of t`) NOT ENFORCED\n) PARTITIONED BY (`key of t`)";
    assert_eq!(both.as_deref(), Ok(wanted));
    let refused = |operation: Make| {
        changed("CREATE TABLE t (a INT METADATA, b AS a, c INT)", operation).expect_err("refused").to_string()
    };
    assert_eq!(
        refused(|edits, table| edits
            .set_type(table, "b", &Nullable { ty: ColumnType::Int, nullable: true })
            .map(|_| ())),
        "cannot change the type of column `b`: it is computed, so its expression gives its type"
    );
    assert_eq!(
        refused(|edits, table| edits.rename_column(table, "a", "x").map(|_| ())),
        "cannot rename column `a`: its name is the key of the metadata: write METADATA FROM 'a' first"
    );
    assert_eq!(
        refused(|edits, table| edits.rename_column(table, "c", "b").map(|_| ())),
        "cannot rename column `c`: there is a column `b`"
    );
    assert_eq!(
        refused(|edits, table| edits.add_column(table, &Column::nullable("c", ColumnType::Int)).map(|_| ())),
        "cannot add column `c`: the table has a column of that name"
    );
}

#[test]
fn an_option_is_taken_away() {
    let without = |text: &str, key: &str| changed(text, |edits, table| edits.remove_option(table, key).map(|_| ()));
    for (text, wanted) in [
        ("CREATE TABLE t (a INT) WITH ('k' = 'v')", "CREATE TABLE t (a INT) WITH ()"),
        (
            "CREATE TABLE t (a INT) WITH (\n  'k' = 'v', -- why\n  'l' = 'm'\n)",
            "CREATE TABLE t (a INT) WITH (\n  'l' = 'm'\n)",
        ),
        (
            "CREATE TABLE t (a INT) WITH (\n  'l' = 'm',\n  'k' =\n    'v'\n)",
            "CREATE TABLE t (a INT) WITH (\n  'l' = 'm'\n)",
        ),
        ("CREATE TABLE t (a INT) WITH ('k' = '1', 'l' = 'm', 'k' = '2')", "CREATE TABLE t (a INT) WITH ('l' = 'm')"),
    ] {
        assert_eq!(without(text, "k").as_deref(), Ok(wanted));
    }
    let why = without("CREATE TABLE t (a INT)", "k").expect_err("none").to_string();
    assert_eq!(why, "cannot remove option 'k': `t` has no such option");
}

#[test]
fn an_option_of_a_hint_is_set() {
    let set = |text: &str, key: &str| {
        let query = query(text);
        let select = query.body.select().expect("a select");
        let FactorKind::Table { hints, .. } = &select.from[0].base.kind else { panic!("a table") };
        EditSet::new(text).set_hint_option(&hints[0], key, "it's")?.apply()
    };
    for (text, wanted) in [
        (
            "SELECT a FROM t /*+ OPTIONS('k'='v', 'l' = 'm') */",
            "SELECT a FROM t /*+ OPTIONS('k'='it''s', 'l' = 'm') */",
        ),
        ("SELECT a FROM t /*+ OPTIONS('l' = 'm') */", "SELECT a FROM t /*+ OPTIONS('l' = 'm', 'k' = 'it''s') */"),
    ] {
        assert_eq!(set(text, "k").as_deref(), Ok(wanted));
    }
    for text in ["SELECT a FROM t /*+ BROADCAST(t) */", "SELECT a FROM t /*+ OPTIONS('k' = 'a' 'b') */"] {
        assert!(set(text, "k").is_err(), "{text}");
    }
}

type Make = fn(&mut EditSet<'_>, &CreateTable) -> Result<(), CannotEdit>;

#[test]
fn operations_on_the_same_text_are_an_error_that_names_both() {
    let text = "CREATE TABLE t (\n  a INT,\n  b INT -- two\n) WITH ('k' = 'v')";
    let error = |operations: &[Make]| {
        changed(text, |edits, table| operations.iter().try_for_each(|operation| operation(edits, table)))
            .expect_err("a conflict")
            .to_string()
    };
    let add = |edits: &mut EditSet<'_>, table: &CreateTable| {
        edits.add_column(table, &Column::nullable("c", ColumnType::Int)).map(|_| ())
    };
    let remove = |edits: &mut EditSet<'_>, table: &CreateTable| edits.remove_column(table, "b").map(|_| ());
    let wanted = "cannot add column `c` and remove column `b` in one go: both change the text at byte 24";
    assert_eq!(error(&[add, remove]), wanted);
    assert_eq!(error(&[remove, add]), wanted);
    let rename = |edits: &mut EditSet<'_>, table: &CreateTable| edits.rename_column(table, "b", "c").map(|_| ());
    let wanted = "cannot remove column `b` and rename column `b` in one go: both change the text at byte 28";
    assert_eq!(error(&[rename, remove]), wanted);
    let set = |edits: &mut EditSet<'_>, table: &CreateTable| {
        edits.set_option(table, "k", "1").set_option(table, "k", "2");
        Ok(())
    };
    assert!(error(&[set]).starts_with("cannot set option 'k' and set option 'k' in one go"));
    // The same operation twice is one.
    let twice = changed(text, |edits, table| {
        edits.remove_column(table, "b")?.remove_column(table, "b")?;
        edits.set_option(table, "k", "1").set_option(table, "k", "1");
        Ok(())
    });
    assert_eq!(twice.as_deref(), Ok("CREATE TABLE t (\n  a INT\n) WITH ('k' = '1')"));
}

#[test]
fn a_set_for_another_text_is_an_error() {
    let table = table("CREATE TABLE t (a INT) WITH ('k' = 'v')");
    let why = EditSet::new("é").set_option(&table, "k", "w").apply().expect_err("another text").to_string();
    assert_eq!(why, "cannot set option 'k': bytes 35..38 do not fit the text");
}
