//! Logical names, versions, and the physical names built from both.
//!
//! A physical name is always built from (logical name, version); the way back is a look-up in the deployed manifest.
//! [`split`] exists for text that no manifest knows yet: the first reading of a project.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which generation of a table: 1 has no suffix, 2 is `_v2`, 10 is `_v10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u32);

impl Version {
    /// The first generation, which carries no suffix.
    pub const FIRST: Self = Self(1);

    /// The generation after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

/// The physical name of `logical` at `version`: `orders`, `orders_v2`, `orders_v10`.
pub fn physical(logical: &str, version: Version) -> String {
    if version.0 <= 1 { logical.to_owned() } else { format!("{logical}_v{}", version.0) }
}

/// Splits a name into its logical part and its version: `orders_v2` is (`orders`, 2), `orders` is (`orders`, 1).
///
/// `_v0`, `_v1` and numbers with leading zeros are no suffixes of ours and stay part of the name.
pub fn split(name: &str) -> (&str, Version) {
    if let Some((head, digits)) = name.rsplit_once("_v")
        && !head.is_empty()
        && !digits.starts_with('0')
        && digits.bytes().all(|b| b.is_ascii_digit())
        && let Ok(n) = digits.parse::<u32>()
        && n >= 2
    {
        return (head, Version(n));
    }
    (name, Version::FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_suffix_becomes_v2_and_v9_becomes_v10() {
        for (blue, green) in [("orders", "orders_v2"), ("orders_v2", "orders_v3"), ("orders_v9", "orders_v10")] {
            let (logical, version) = split(blue);
            assert_eq!(physical(logical, version.next()), green);
        }
    }

    #[test]
    fn only_our_own_suffixes_are_versions() {
        for name in ["orders_v1", "orders_v0", "orders_v02", "orders_vip", "_v2", "orders_v", "orders_v99999999999"] {
            assert_eq!(split(name), (name, Version::FIRST), "{name}");
        }
    }
}
