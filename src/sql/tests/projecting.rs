use super::*;

fn without_item(text: &str, names: &[&str]) -> Result<String, CannotEdit> {
    let query = query(text);
    let mut edits = EditSet::new(text);
    names.iter().try_for_each(|name| edits.remove_projection(&query, name).map(|_| ()))?;
    edits.apply()
}

#[test]
fn an_item_goes_from_a_select_list() {
    for (text, name, wanted) in [
        ("SELECT a, b FROM t", "a", "SELECT b FROM t"),
        ("SELECT a,b FROM t", "b", "SELECT a FROM t"),
        ("SELECT\n  a,\n  f(b, 1) AS c, -- why\n  d\nFROM t", "c", "SELECT\n  a,\n  d\nFROM t"),
        ("SELECT\n  a,\n  f(b, 1) AS c -- why\nFROM t", "c", "SELECT\n  a\nFROM t"),
        ("SELECT a\n     , x.b\n     , c\nFROM x", "b", "SELECT a\n     , c\nFROM x"),
        ("SELECT a\n     , b\nFROM x", "a", "SELECT b\nFROM x"),
        ("SELECT t.*, a FROM t, u", "a", "SELECT t.* FROM t, u"),
        ("SELECT a, b FROM t ORDER BY b, 1", "b", "SELECT a FROM t ORDER BY b, 1"),
        ("INSERT INTO s (SELECT a, b FROM t)", "b", "INSERT INTO s (SELECT a FROM t)"),
    ] {
        assert_eq!(without_item(text, &[name]).as_deref(), Ok(wanted));
    }
    for (text, why) in [
        ("SELECT a FROM t", "the list would be empty"),
        ("SELECT t.* FROM t", "it may come from the `*`: list the columns first"),
        ("SELECT b, t.* FROM t", "it may come from the `*`: list the columns first"),
        ("SELECT b FROM t", "no item of the list has that name"),
        ("SELECT a, b AS a FROM t", "two items have that name"),
        ("SELECT a, b FROM t UNION ALL SELECT a, b FROM u", "the query is not one SELECT"),
        ("SELECT b, c AS a FROM t ORDER BY a", "ORDER BY uses it, or counts the items"),
        ("SELECT a, b FROM t ORDER BY 2", "ORDER BY uses it, or counts the items"),
    ] {
        let wanted = format!("cannot remove `a` from the select list: {why}");
        assert_eq!(without_item(text, &["a"]).expect_err(text).to_string(), wanted, "{text}");
    }
    assert_eq!(without_item("SELECT a, b, c FROM t", &["c", "b"]).as_deref(), Ok("SELECT a FROM t"));
    assert!(without_item("SELECT a, b FROM t", &["a", "b"]).is_err());
}

#[test]
fn an_item_is_added_to_a_select_list() {
    let add = |text: &str, expr: &str, alias| {
        let query = query(text);
        EditSet::new(text).add_projection(query.body.select().expect("a select"), expr, alias)?.apply()
    };
    let text = "SELECT\n    a\n  , b -- last\nFROM t";
    assert_eq!(
        add(text, "a + 1", Some("date")).as_deref(),
        Ok("SELECT\n    a\n  , b -- last\n  , a + 1 AS `date`\nFROM t")
    );
    assert_eq!(add("SELECT *", "t.x", None).as_deref(), Ok("SELECT *, t.x"));
    assert!(add("SELECT a AS x", "b", Some("x")).is_err());
}
