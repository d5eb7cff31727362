use super::*;
use crate::diagnostic::{Edit, Span};
use crate::model::column::{Column, ColumnType};

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

fn with_option(text: &str, key: &str, value: &str) -> String {
    apply(text, &[set_option(text, &table(text), key, value)]).expect("an edit that fits")
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
    let changed =
        apply(text, &[add_column(text, &table(text), &Column::nullable(name, ty.clone()))]).expect("an edit that fits");
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
        "CREATE TABLE t (\n  a INT -- one\n  ,\n  c INT, PRIMARY KEY (a) NOT ENFORCED)"
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
