//! Renaming tables, seen by Flink's parser: the same tree, but for the names. For every role that a table can have exactly its
//! names are replaced; for many statements all tables get another name at once. And by its planner, which finds what it found
//! before: it looks every name up, so one that was forgotten, or renamed though it is none of a table, is an error.

use std::collections::BTreeMap;

use cyanotype::sql;

use crate::corpus;
use crate::flink::{self, Planned};
use crate::flows;
use crate::generator;

/// What no statement of the corpus holds: put in for names, and taken out of the printed tree again.
const MARK: &str = "zq9_";

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn after_renaming_flink_sees_the_renamed_tree() {
    let mut statements = flink::statements_of_planner_tests();
    statements.extend(corpus::files().into_iter().filter(|f| f.name != "20_mistakes").flat_map(|f| f.statements));
    statements.extend(generator::statements(1000, 3));
    let (mut originals, mut changed) = (Vec::new(), Vec::new());
    let (mut untouched, mut names) = (0, 0);
    for text in statements {
        assert!(!text.contains(MARK));
        let parsed = sql::parse(&text);
        let tables = parsed.statements().iter().flat_map(|s| {
            let read = sql::table_refs(s).into_iter().map(|reference| reference.name);
            read.chain(sql::written_tables(s).into_iter().cloned()).collect::<Vec<_>>()
        });
        let renames: BTreeMap<String, String> =
            tables.map(|name| (name.last().name.clone(), format!("{MARK}{}", name.last().name))).collect();
        if renames.is_empty() {
            untouched += 1;
            continue;
        }
        names += renames.len();
        let edits: Vec<_> = parsed.statements().iter().flat_map(|s| sql::rename_tables(s, &renames)).collect();
        changed.push(sql::apply(&text, &edits).unwrap());
        originals.push(text);
    }
    let (before, after) = (flink::trees(&originals), flink::trees(&changed));
    let (mut equal, mut unprinted, mut different) = (0, 0, 0);
    for (i, (before, after)) in before.iter().zip(&after).enumerate() {
        if before.verdict == "rejected" {
            untouched += 1;
            continue;
        }
        let marked = |names: &[String]| names.iter().all(|name| name.split('.').next_back().unwrap().starts_with(MARK));
        let back = |tree: &Option<String>| tree.as_ref().map(|tree| tree.replace(MARK, ""));
        let same = after.verdict == before.verdict && marked(&after.reads) && marked(&after.writes);
        match (&before.tree, back(&after.tree)) {
            (None, None) if same => unprinted += 1,
            (Some(before), Some(after)) if same && *before == after => equal += 1,
            _ => {
                different += 1;
                println!(
                    "-- {} {}\n{}\n=>\n{}\n",
                    after.verdict,
                    after.short(),
                    originals[i].trim(),
                    changed[i].trim()
                );
            }
        }
    }
    println!(
        "renames: {names} tables in {} statements; {equal} trees are the renamed ones, {different} are not, {unprinted} cannot \
         be printed and have the renamed tables; {untouched} statements name no table or are rejected",
        originals.len(),
    );
    assert_eq!(different, 0);
}

/// A statement in which «» stand around the names of the table `orders`.
struct Case {
    role: String,
    text: String,
    /// Where the names begin, in bytes.
    places: Vec<usize>,
}

/// The statements of `tests/it/sql/roles.sql`.
fn roles() -> Vec<Case> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/sql/roles.sql");
    let file = std::fs::read_to_string(path).unwrap();
    let cases = file.split("-- role: ").skip(1);
    let read = |case: &str| {
        let (role, marked) = case.split_once('\n').unwrap();
        let marked = marked.trim().strip_suffix(';').unwrap();
        let (mut text, mut places) = (String::new(), Vec::new());
        for (i, part) in marked.split(['«', '»']).enumerate() {
            if i % 2 == 1 {
                places.push(text.len());
            }
            text += part;
        }
        Case { role: role.to_owned(), text, places }
    };
    cases.map(read).collect()
}

/// Line and column of a name as Flink counts them. The place of a text in a hint is that of its quote.
fn place(text: &str, at: usize) -> [usize; 2] {
    let at = at - usize::from(text[..at].ends_with('\''));
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    [text[..line].matches('\n').count() + 1, text[line..at].encode_utf16().count() + 1]
}

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn in_every_role_exactly_the_names_of_the_table_are_replaced() {
    let new = format!("{MARK}orders");
    let cases = roles();
    let changed: Vec<String> = cases
        .iter()
        .map(|case| {
            let mut edits = sql::EditSet::new(&case.text);
            sql::parse(&case.text).statements().iter().for_each(|s| {
                edits.rename_table(s, "orders", &new);
            });
            edits.apply().unwrap()
        })
        .collect();
    let questions: Vec<(String, Vec<[usize; 2]>)> = cases
        .iter()
        .map(|case| (case.text.clone(), case.places.iter().map(|at| place(&case.text, *at)).collect()))
        .collect();
    let (wanted, ours) = (flink::renamed_trees(&questions, &new), flink::trees(&changed));
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut different = 0;
    for (i, case) in cases.iter().enumerate() {
        let (wanted, ours) = (&wanted[i], &ours[i]);
        let both = wanted.verdict == "accepted" && ours.verdict == "accepted";
        if !both || wanted.renamed != case.places.len() || wanted.tree != ours.tree {
            different += 1;
            let (short, tree) = (wanted.short() + &ours.short(), wanted.tree.as_deref().unwrap_or(""));
            println!("-- {}: {} of {} names {short}", case.role, wanted.renamed, case.places.len());
            println!("{}\n=>\n{}\n{tree}\n{}", case.text, changed[i], ours.tree.as_deref().unwrap_or(""));
        }
        let count = counts.entry(&case.role).or_default();
        *count = (count.0 + 1, count.1 + wanted.renamed);
    }
    for (role, (statements, names)) in &counts {
        println!("{role}: {statements} statements, {names} names");
    }
    let names: usize = counts.values().map(|(_, names)| names).sum();
    println!("roles: {} with {} statements and {names} names; {different} trees differ", counts.len(), cases.len());
    assert_eq!(different, 0);
}

/// Every table that a script names.
fn names_of(script: &[String]) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for text in script {
        for statement in sql::parse(text).statements() {
            let read = sql::table_refs(statement).into_iter().map(|reference| reference.name);
            let others = sql::written_tables(statement).into_iter().chain(sql::mentioned_tables(statement)).cloned();
            names.extend(read.chain(others).map(|n| (n.last().name.clone(), format!("{MARK}{}", n.last().name))));
        }
    }
    names
}

/// What the planner found, tables under their old names.
fn found(planned: &Planned) -> String {
    format!("{} {:?}", planned.ok, planned.queries).replace(MARK, "")
}

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn after_renaming_flink_plans_the_same() {
    let scripts = &flows::plans().scripts;
    let renamed: Vec<Vec<String>> = scripts
        .iter()
        .map(|(script, _)| {
            let names = names_of(script);
            let changed = |text: &String| {
                let mut edits = sql::EditSet::new(text);
                sql::parse(text).statements().iter().for_each(|s| {
                    edits.rename_tables(s, &names);
                });
                edits.apply().unwrap()
            };
            script.iter().map(changed).collect()
        })
        .collect();
    let (mut same, mut refused, mut different) = (0, 0, 0);
    for (((script, before), changed), after) in scripts.iter().zip(&renamed).zip(flink::plans(&renamed)) {
        for (i, (before, after)) in before.iter().zip(&after).enumerate() {
            if found(before) != found(after) {
                different += 1;
                println!("-- {}\n{}\n=>\n{}\n", after.message, script[i].trim(), changed[i].trim());
                println!("{}\n{}\n", found(before), found(after));
            } else if before.ok {
                same += 1;
            } else {
                refused += 1;
            }
        }
    }
    println!(
        "plans: {same} the same after renaming, {different} not; {refused} statements Flink does not plan in either form"
    );
    assert_eq!(different, 0);
    assert!(same > 10 * refused);
}
