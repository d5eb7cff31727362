//! Evidence as a terminal shows it: one line for each table, then the columns by class, then what was found.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use super::output::{Paint, Painted, colour, columns, plain};
use crate::model::verdict::{Evidence, Outcome, TableVerdict};

/// The word for an outcome and its colour.
pub(crate) fn word(outcome: Outcome) -> (&'static str, Paint) {
    match outcome {
        Outcome::Pass => ("pass", Paint::Green),
        Outcome::Undecided => ("undecided", Paint::Yellow),
        Outcome::Fail => ("fail", Paint::Red),
    }
}

/// Whole evidence.
pub struct Verdict<'a>(pub &'a Evidence);

impl Display for Verdict<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let evidence = self.0;
        let (text, paint) = word(evidence.outcome);
        write!(f, "{}", Painted(colour(f), paint, text))?;
        if !evidence.reason.is_empty() {
            write!(f, ": {}", plain(&evidence.reason))?;
        }
        writeln!(f)?;
        write!(f, "{} input records arrived while the outputs were read", evidence.arrived)?;
        if evidence.tables.is_empty() {
            return writeln!(f);
        }
        writeln!(f, "\n")?;
        Tables(&evidence.tables).fmt(f)?;
        Classes(&evidence.tables).fmt(f)?;
        if evidence.tables.iter().any(|table| !table.samples.is_empty()) {
            writeln!(f, "\n{}", Painted(colour(f), Paint::Bold, "found"))?;
        }
        for table in &evidence.tables {
            for sample in &table.samples {
                writeln!(f, "  {}: {}", plain(&table.table), plain(sample))?;
            }
        }
        Ok(())
    }
}

/// One line for each table.
pub struct Tables<'a>(pub &'a [TableVerdict]);

impl Display for Tables<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let head =
            ["TABLE", "VERDICT", "BLUE", "GREEN", "EQUAL", "FOLLOWED", "BY HISTORY", "WRONG", "OPEN", "DUPLICATES"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(self.0.iter().map(|table| {
            let wrong = table.missing.saturating_add(table.extra).saturating_add(table.different);
            let numbers = [table.rows_blue, table.rows_green, table.equal, table.followed, table.by_history, wrong];
            let mut row = vec![plain(&table.table), word(table.outcome).0.to_owned()];
            row.extend(numbers.map(|n| n.to_string()));
            row.extend([table.undecided.to_string(), duplicates(table)]);
            row
        }));
        let drawn = columns(&rows);
        for (i, line) in drawn.iter().enumerate() {
            match i.checked_sub(1).and_then(|i| self.0.get(i)) {
                None => writeln!(f, "{}", Painted(colour(f), Paint::Bold, line))?,
                Some(table) => {
                    let (text, paint) = word(table.outcome);
                    // The table's name comes first and may hold the word as well.
                    let (name, rest) = line.split_at(plain(&table.table).len().min(line.len()));
                    let rest = rest.replacen(text, &Painted(colour(f), paint, text).to_string(), 1);
                    writeln!(f, "{name}{rest}")?;
                    let declared = table.only_blue > 0 || table.only_green > 0;
                    if (table.outcome != Outcome::Pass || declared) && !table.reason.is_empty() {
                        writeln!(f, "  {}", plain(&table.reason))?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn duplicates(table: &TableVerdict) -> String {
    let mut kinds: Vec<String> = table
        .duplicates
        .iter()
        .filter(|(_, n)| **n > 0)
        .map(|(kind, n)| format!("{n} {}", plain(kind).replace('_', " ")))
        .collect();
    if kinds.is_empty() {
        kinds.push("none".to_owned());
    }
    if table.churn > 0 {
        kinds.push(format!("(churn {})", table.churn));
    }
    kinds.join(", ")
}

/// The columns by class: every class with the columns of each table that were compared by it.
struct Classes<'a>(&'a [TableVerdict]);

impl Display for Classes<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut classes: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
        for table in self.0 {
            for (column, how) in &table.columns {
                classes.entry(how).or_default().entry(&table.table).or_default().push(column);
            }
        }
        if classes.is_empty() {
            return Ok(());
        }
        writeln!(f)?;
        for (class, tables) in classes {
            writeln!(f, "{}", Painted(colour(f), Paint::Bold, plain(class)))?;
            for (table, columns) in tables {
                writeln!(f, "  {}: {}", plain(table), plain(&columns.join(", ")))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn evidence(outcome: Outcome) -> Evidence {
        let columns = [("id", "exact"), ("total", "exact"), ("tier", "changed: new column, old rows hold 'basic'")];
        let table = TableVerdict {
            table: "fct_pass".to_owned(),
            outcome,
            reason: "3 keys differ".to_owned(),
            rows_blue: 100,
            rows_green: 100,
            equal: 90,
            followed: 7,
            by_history: 3,
            missing: 0,
            extra: 1,
            different: 2,
            undecided: 0,
            only_blue: 0,
            only_green: 0,
            duplicates: BTreeMap::from([("two_partitions".to_owned(), 2), ("repeated_key".to_owned(), 0)]),
            churn: 5,
            columns: columns.map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
            samples: vec!["key 7: \x1b[2Jtotal 1 in blue, 2 in green".to_owned()],
            digest_blue: "b".to_owned(),
            digest_green: "g".to_owned(),
        };
        Evidence {
            rollout: "r1".to_owned(),
            plan: "sha256:p".to_owned(),
            outcome,
            reason: "one table".to_owned(),
            tables: vec![table],
            cut: BTreeMap::new(),
            read: BTreeMap::new(),
            schema_ids: BTreeMap::new(),
            arrived: 12,
            started_ms: 0,
            ended_ms: 1,
            expires_ms: 2,
        }
    }

    #[test]
    fn a_table_is_a_line_and_classes_follow() {
        let want = "\
fail: one table
12 input records arrived while the outputs were read

TABLE     VERDICT  BLUE  GREEN  EQUAL  FOLLOWED  BY HISTORY  WRONG  OPEN  DUPLICATES
fct_pass  fail     100   100    90     7         3           3      0     2 two partitions, (churn 5)
  3 keys differ

changed: new column, old rows hold 'basic'
  fct_pass: tier
exact
  fct_pass: id, total

found
  fct_pass: key 7: \u{fffd}[2Jtotal 1 in blue, 2 in green
";
        assert_eq!(Verdict(&evidence(Outcome::Fail)).to_string(), want);
    }

    #[test]
    fn colour_is_on_the_verdict_and_not_on_a_name_that_reads_like_it() {
        let drawn = format!("{:#}", Verdict(&evidence(Outcome::Pass)));
        assert!(drawn.contains("fct_pass  \x1b[32mpass\x1b[0m"), "{drawn}");
    }

    #[test]
    fn no_table_is_no_table() {
        let mut evidence = evidence(Outcome::Undecided);
        evidence.tables.clear();
        let want = "undecided: one table\n12 input records arrived while the outputs were read\n";
        assert_eq!(Verdict(&evidence).to_string(), want);
    }
}
