//! Two drawn schemas, the second mostly a change of the first: what is promised of each and of both.

#![no_main]

mod drawn;

use cyanotype::schema::{invariant, parse};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut draw = drawn::Draw::new(bytes);
    let old = draw.ty(0);
    let new = if draw.below(8) == 1 { draw.ty(0) } else { draw.changed(&old) };
    let (old, new) = (old.to_string(), new.to_string());
    let mut kept = invariant::reading(&old).and_then(|()| invariant::reading(&new));
    if let (Ok(()), Ok(old), Ok(new)) = (&kept, parse(&old, &[]), parse(&new, &[])) {
        kept = invariant::pair(&old, &new);
    }
    if let Err(broken) = kept {
        panic!("{broken}\n{old}\n{new}");
    }
});
