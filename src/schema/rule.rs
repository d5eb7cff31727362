//! The rules by which a reader schema reads what a writer schema wrote, each by its name.
//!
//! They are those of `org.apache.avro.SchemaCompatibility`; the table in [`compat`](super::compat) says what each one means.

/// A rule, at a place where it decides.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Every branch of a writer's union must be readable.
    WriterUnion,
    /// One branch of a reader's union is enough.
    ReaderUnion,
    /// A wider number reads a narrower one.
    Promotion,
    /// A string reads bytes, bytes read a string.
    StringAndBytes,
    /// The items of arrays are compared.
    Items,
    /// The values of maps are compared.
    Values,
    /// Names differ: it is another type.
    ShortName,
    /// An alias of the reader's type is the writer's full name.
    TypeAlias,
    /// Sizes differ: it is another fixed.
    FixedSize,
    /// The writer has symbols that the reader lacks.
    EnumSymbols,
    /// The reader's default stands for symbols that it lacks.
    EnumDefault,
    /// A field is found by an alias.
    FieldAlias,
    /// A field is found by its name and by aliases: not readable.
    TwoHits,
    /// A field that the writer lacks needs a default.
    FieldDefault,
    /// A default of null is a default.
    NullDefault,
    /// The types of a field that both have are compared.
    FieldTypes,
    /// A pair of types that is being judged counts as readable.
    PairInProgress,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 17] = [
        Self::WriterUnion,
        Self::ReaderUnion,
        Self::Promotion,
        Self::StringAndBytes,
        Self::Items,
        Self::Values,
        Self::ShortName,
        Self::TypeAlias,
        Self::FixedSize,
        Self::EnumSymbols,
        Self::EnumDefault,
        Self::FieldAlias,
        Self::TwoHits,
        Self::FieldDefault,
        Self::NullDefault,
        Self::FieldTypes,
        Self::PairInProgress,
    ];
}

/// Which rules there are: all of them, but for who wants to know what one of them does.
#[doc(hidden)]
pub trait Rules {
    /// Asked at each place where `rule` decides: whether it does.
    fn applies(&mut self, rule: Rule) -> bool;
}

/// All of them, as the library has them.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default)]
pub struct AllRules;

impl Rules for AllRules {
    fn applies(&mut self, _: Rule) -> bool {
        true
    }
}
