//! Renaming every table of a statement, seen by Flink's parser: the same tree, but for the names.

use std::collections::BTreeMap;

use cyanotype::sql;

use crate::corpus;
use crate::flink;
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
