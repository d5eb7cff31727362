//! The types of results, against the row types of Flink's planner.

use cyanotype::sql::{self, Definitions, Statement, StatementKind, TypedColumn};

use crate::flink::PlannedQuery;
use crate::flows::{each_query, plans};

/// What became of a corpus.
#[derive(Default)]
struct Count {
    columns: usize,
    answered: usize,
    wrong: usize,
    left_out: usize,
    open: usize,
}

/// A type without what Flink says of time attributes.
fn plain(ty: &str) -> String {
    ty.replace(" *ROWTIME*", "").replace(" *PROCTIME*", "")
}

fn compare(sql: &str, ours: &[TypedColumn], flink: &PlannedQuery, count: &mut Count) {
    if ours.len() != flink.types.len() {
        count.wrong += 1;
        println!("-- {} columns, Flink {}\n{}\n", ours.len(), flink.types.len(), sql.trim());
        return;
    }
    for (column, theirs) in ours.iter().zip(&flink.types) {
        count.columns += 1;
        let theirs = plain(theirs);
        match &column.ty {
            None => println!("-- no type for {}, Flink {theirs}\n{}\n", column.name, sql.trim()),
            Some(ty) if ty.to_string() == theirs => count.answered += 1,
            Some(ty) => {
                count.wrong += 1;
                println!("-- {} is {ty}, Flink {theirs}\n{}\n", column.name, sql.trim());
            }
        }
    }
}

/// True where Flink's planner makes another query of what is written: for columns that are named, fixed, or put in order.
fn is_rewritten(statement: &Statement) -> bool {
    match &statement.kind {
        StatementKind::Insert(insert) => !insert.columns.is_empty() || !insert.partition.is_empty(),
        StatementKind::CreateTableAs(ctas) => !ctas.table.columns.is_empty(),
        StatementKind::Other { effects, .. } => effects.parts.iter().any(is_rewritten),
        _ => false,
    }
}

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn every_type_that_is_given_is_flinks() {
    let mut count = Count::default();
    let plans = plans();
    for (script, planned) in &plans.scripts {
        each_query(script, planned, plans.shared, &mut |sql, statement, known: &Definitions, _, answer| {
            let Ok(planned) = answer else { return };
            if is_rewritten(statement) {
                count.left_out += 1;
                return;
            }
            for (ours, query) in sql::statement_types(statement, known).iter().zip(&planned.queries) {
                match ours {
                    Some(ours) => compare(sql, ours, query, &mut count),
                    None => {
                        count.open += query.types.len();
                        println!("-- not all columns known, Flink {:?}\n{}\n", query.types, sql.trim());
                    }
                }
            }
        });
    }
    let columns = count.columns + count.open;
    println!(
        "types: {} of {columns} columns have one ({:.1} %), {} wrong; {} statements left out that Flink rewrites",
        count.answered,
        100.0 * count.answered as f64 / columns as f64,
        count.wrong,
        count.left_out,
    );
    assert_eq!(count.wrong, 0, "a type that is not Flink's");
    assert!(count.answered * 10 >= columns * 9, "less than 90 % of the columns have a type");
}
