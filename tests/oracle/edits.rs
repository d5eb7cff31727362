//! Adding and removing columns, options and items of select lists, seen by Flink's parser: the old tree with that element more
//! or less, and nothing else.

use std::collections::BTreeMap;

use cyanotype::model::column::{Column, ColumnType};
use cyanotype::sql::{self, CannotEdit, CreateTable, EditSet, Query, SelectItem, Statement, StatementKind};

use crate::corpus;
use crate::flink::{self, Verdict};
use crate::generator;

/// What no statement of the corpus holds.
const NEW: &str = "zq9_new";

/// What becomes of Flink's tree, which has columns and options on lines of their own.
enum Change {
    /// This line more.
    LineMore(String),
    /// The line that begins so less; of an option every such line.
    LineLess(String),
    /// This word more, with a comma.
    ItemMore(String),
    /// Some words less, this one and a comma among them.
    ItemLess(String),
}

struct Case {
    kind: &'static str,
    change: Change,
    text: String,
    changed: String,
}

#[derive(Default)]
struct Cases {
    cases: Vec<Case>,
    refused: BTreeMap<&'static str, usize>,
}

impl Cases {
    fn add(
        &mut self,
        kind: &'static str,
        change: Change,
        text: &str,
        make: impl FnOnce(&mut EditSet<'_>) -> Result<(), CannotEdit>,
    ) {
        let mut edits = EditSet::new(text);
        match make(&mut edits).and_then(|()| edits.apply()) {
            Ok(changed) => self.cases.push(Case { kind, change, text: text.to_owned(), changed }),
            Err(CannotEdit::Refused { .. }) => *self.refused.entry(kind).or_default() += 1,
            Err(problem) => panic!("{problem}: {text}"),
        }
    }

    fn statement(&mut self, text: &str, statement: &Statement) {
        match &statement.kind {
            StatementKind::CreateTable(table) => self.table(text, table),
            StatementKind::CreateTableAs(ctas) => {
                self.options(text, &ctas.table);
                self.query(text, &ctas.query);
            }
            StatementKind::CreateView(view) => self.query(text, &view.query),
            StatementKind::Insert(insert) => self.query(text, &insert.query),
            StatementKind::Query(query) => self.query(text, query),
            _ => {}
        }
    }

    fn table(&mut self, text: &str, table: &CreateTable) {
        self.options(text, table);
        let more = Change::LineMore(format!("`{NEW}` DATE"));
        self.add("add a column", more, text, |edits| {
            edits.add_column(table, &Column::nullable(NEW, ColumnType::Date)).map(|_| ())
        });
        for column in &table.columns {
            let name = &column.name.name;
            let less = Change::LineLess(format!("{} ", sql::keyword::quote(name)));
            self.add("remove a column", less, text, |edits| edits.remove_column(table, name).map(|_| ()));
        }
    }

    fn options(&mut self, text: &str, table: &CreateTable) {
        let more = Change::LineMore(format!("'{NEW}' = 'it''s'"));
        self.add("add an option", more, text, |edits| {
            edits.set_option(table, NEW, "it's");
            Ok(())
        });
        for option in &table.options {
            let less = Change::LineLess(format!("'{}' = ", option.key.replace('\'', "''")));
            self.add("remove an option", less, text, |edits| edits.remove_option(table, &option.key).map(|_| ()));
        }
    }

    fn query(&mut self, text: &str, query: &Query) {
        let Some(select) = query.body.select() else { return };
        let more = Change::ItemMore(format!("`{NEW}`"));
        self.add("add an item", more, text, |edits| edits.add_projection(select, NEW, None).map(|_| ()));
        for item in &select.items {
            let name = match item {
                SelectItem::Expr { alias: Some(alias), .. } => &alias.name,
                SelectItem::Expr { expr: sql::Expr { kind: sql::ExprKind::Column(name), .. }, .. } => &name.last().name,
                _ => continue,
            };
            let less = Change::ItemLess(sql::keyword::quote(name));
            self.add("remove an item", less, text, |edits| edits.remove_projection(query, name).map(|_| ()));
        }
    }
}

/// The lines of a tree without what opens, divides and closes lists, which may be new or gone.
fn lines(tree: &str) -> Vec<String> {
    let lines = tree.replace("WITH (", "\n");
    let bare = |line: &str| line.trim_matches([' ', ',', '(', ')', ';']).to_owned();
    lines.lines().map(bare).filter(|line| !line.is_empty()).collect()
}

fn words(tree: &str) -> Vec<&str> {
    sql::lexer::tokenize(tree).iter().filter(|t| !t.kind.is_trivia()).map(|t| t.text(tree)).collect()
}

/// What the longer one has more, if that is in one place.
fn surplus<'t>(short: &[&str], long: &'t [&'t str]) -> Option<&'t [&'t str]> {
    let before = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    let rest = short.len() - before;
    let same_end = long.len() >= short.len() && short[before..] == long[long.len() - rest..];
    same_end.then(|| &long[before..long.len() - rest])
}

/// True if Flink's trees differ by the change alone.
fn is_that(change: &Change, before: &str, after: &str) -> bool {
    match change {
        Change::LineMore(line) => {
            let (before, mut after) = (lines(before), lines(after));
            let at = after.iter().position(|l| l == line);
            at.map(|at| after.remove(at));
            at.is_some() && before == after
        }
        Change::LineLess(start) => {
            let (mut before, after) = (lines(before), lines(after));
            let all = before.len();
            before.retain(|line| !line.starts_with(start));
            before.len() < all && before == after
        }
        Change::ItemMore(word) => {
            let (before, after) = (words(before), words(after));
            surplus(&before, &after).is_some_and(|more| more == [",", word])
        }
        Change::ItemLess(word) => {
            let (before, after) = (words(before), words(after));
            surplus(&after, &before).is_some_and(|less| less.contains(&",") && less.contains(&word.as_str()))
        }
    }
}

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn after_an_edit_flink_sees_that_element_more_or_less() {
    let mut statements = flink::statements_of_planner_tests();
    statements.extend(corpus::files().into_iter().filter(|f| f.name != "20_mistakes").flat_map(|f| f.statements));
    statements.extend(generator::statements(400, 5));
    let mut cases = Cases::default();
    for text in &statements {
        let parsed = sql::parse(text);
        if let ([statement], []) = (parsed.statements(), parsed.diagnostics()) {
            cases.statement(text, statement);
        }
    }
    let before: BTreeMap<&String, Verdict> = statements.iter().zip(flink::trees(&statements)).collect();
    let after = flink::trees(&cases.cases.iter().map(|case| case.changed.clone()).collect::<Vec<_>>());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut rejected, mut different) = (0, 0);
    for (case, after) in cases.cases.iter().zip(&after) {
        let before = &before[&case.text];
        if before.verdict == "rejected" {
            rejected += 1;
            continue;
        }
        *counts.entry(case.kind).or_default() += 1;
        let trees = before.tree.as_deref().zip(after.tree.as_deref());
        if !trees.is_some_and(|(before, after)| is_that(&case.change, before, after)) {
            different += 1;
            println!("-- {}: {} {}\n{}\n=>\n{}\n", case.kind, after.verdict, after.short(), case.text, case.changed);
        }
    }
    for (kind, count) in &counts {
        let refused = cases.refused.get(kind).copied().unwrap_or(0);
        println!("{kind}: {count} trees compared, {refused} edits refused");
    }
    println!("edits: {different} trees differ; {rejected} of statements that Flink rejects are left out");
    assert_eq!(different, 0);
}
