//! Texts that fuzzing found something wrong with.

use super::*;

/// What was wrong, and the text.
const FOUND: &[(&str, &str)] = &[
    ("an operator of two words at the end of the text went past it", "SELECT RANK() SELECT RANK() SUBMULTISET "),
    ("so did one at the end of the first statement", "SELECT a MEMBER"),
    ("one of them took a semicolon for its second word", "VALUES f() MULTISET ; MULTISET MULTISET"),
    ("so did one that is negated", "SELECT a NOT SIMILAR ; TO b"),
    ("EXTRACT took a semicolon for a unit of time", "SELECT EXTRACT(;YEAR "),
    ("so did FLOOR", "SELECT FLOOR(a TO ;YEAR "),
    ("a new name in backquotes ran into the alias behind it", "SELECT 1 FROM t` an alias`"),
    ("and into the word in front of it", "SELECT 1 FROM t AS`a`, x INNER JOIN`b`ON`a`.c=`b`.c"),
];

#[test]
fn what_fuzzing_found_stays_mended() {
    for (what, text) in FOUND {
        for kept in [invariant::reading(text), invariant::editing(text)] {
            assert_eq!(kept, Ok(()), "{what}: {text:?}");
        }
    }
}
