//! Which field of the old record is which field of the new one.
//!
//! Rules: equal names first, then the new field's aliases. A field that is gone and a new one are suspected to be one when
//! they have the same form and either stand at the same place between the fields that stayed (a database keeps a renamed
//! column where it was) or have similar names.

use super::avro::{AvroSchema, Field};
use super::envelope::{RowField, row_field};

/// Names at least this alike (Jaro-Winkler) may be one column renamed.
const SIMILAR: f64 = 0.85;

/// The fields of two records, told apart. Indices point into the two lists.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    pub same: Vec<(usize, usize)>,
    pub aliased: Vec<(usize, usize)>,
    pub suspected: Vec<(usize, usize)>,
    pub removed: Vec<usize>,
    pub added: Vec<usize>,
}

impl Pairing {
    pub(super) fn of(old: (&AvroSchema, &[Field]), new: (&AvroSchema, &[Field])) -> Self {
        let mut pairing = Self::default();
        let stays = |f: &Field, other: &[Field]| other.iter().position(|o| o.name == f.name);
        let mut gone: Vec<(usize, &Field)> = Vec::new();
        for (i, field) in old.1.iter().enumerate() {
            match stays(field, new.1) {
                Some(j) => pairing.same.push((i, j)),
                None => gone.push((i, field)),
            }
        }
        for (j, field) in new.1.iter().enumerate() {
            if stays(field, old.1).is_some() {
                continue;
            }
            match gone.iter().position(|(_, g)| field.aliases.contains(&g.name)) {
                Some(at) => pairing.aliased.push((gone.remove(at).0, j)),
                None => pairing.added.push(j),
            }
        }
        pairing.removed = gone.into_iter().map(|(i, _)| i).collect();
        pairing.suspect(old, new);
        pairing
    }

    /// Moves likely renames out of `removed` and `added`, the most alike names first.
    fn suspect(&mut self, old: (&AvroSchema, &[Field]), new: (&AvroSchema, &[Field])) {
        let view =
            |(schema, fields): (&AvroSchema, &[Field]), i: usize, other: &[Field]| -> Option<(RowField, Vec<String>)> {
                let place = neighbours(fields, i, other);
                fields.get(i).map(|f| (row_field(schema, f), place))
            };
        let mut candidates = Vec::new();
        for i in &self.removed {
            let Some((was, left)) = view(old, *i, new.1) else { continue };
            for j in &self.added {
                let Some((is, right)) = view(new, *j, old.1) else { continue };
                let alike = strsim::jaro_winkler(&was.name.to_lowercase(), &is.name.to_lowercase());
                if same_form(&was, &is) && (left == right || alike >= SIMILAR) {
                    candidates.push((alike, *i, *j));
                }
            }
        }
        candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        for (_, i, j) in candidates {
            if self.removed.contains(&i) && self.added.contains(&j) {
                self.removed.retain(|r| *r != i);
                self.added.retain(|a| *a != j);
                self.suspected.push((i, j));
            }
        }
        self.suspected.sort_unstable();
    }
}

/// The nearest fields on either side that the other record has too.
fn neighbours(fields: &[Field], at: usize, other: &[Field]) -> Vec<String> {
    let stays = |f: &&Field| other.iter().any(|o| o.name == f.name);
    let before = fields.iter().take(at).rev().find(stays);
    let after = fields.iter().skip(at + 1).find(stays);
    [before, after].into_iter().map(|f| f.map_or(String::new(), |f| f.name.clone())).collect()
}

fn same_form(a: &RowField, b: &RowField) -> bool {
    a.nullable == b.nullable && a.flink == b.flink && a.avro.base == b.avro.base && a.avro.meaning() == b.avro.meaning()
}
