//! Column types of Flink SQL, as tables declare them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A Flink SQL type. `Display` prints it as DDL has it, without `NOT NULL`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// `BOOLEAN`
    Boolean,
    /// `TINYINT`
    TinyInt,
    /// `SMALLINT`
    SmallInt,
    /// `INT`
    Int,
    /// `BIGINT`
    BigInt,
    /// `FLOAT`
    Float,
    /// `DOUBLE`
    Double,
    /// `DECIMAL(p, s)`
    Decimal {
        /// Digits in all.
        precision: u32,
        /// Digits after the point.
        scale: u32,
    },
    /// `CHAR(n)`
    Char(u32),
    /// `VARCHAR(n)`
    VarChar(u32),
    /// `STRING`
    String,
    /// `BINARY(n)`
    Binary(u32),
    /// `VARBINARY(n)`
    VarBinary(u32),
    /// `BYTES`
    Bytes,
    /// `DATE`
    Date,
    /// `TIME(p)`
    Time(u32),
    /// `TIMESTAMP(p)`
    Timestamp(u32),
    /// `TIMESTAMP_LTZ(p)`
    TimestampLtz(u32),
    /// `ARRAY<T>`
    Array(Box<Nullable>),
    /// `MULTISET<T>`
    Multiset(Box<Nullable>),
    /// `MAP<K, V>`
    Map(Box<Nullable>, Box<Nullable>),
    /// `ROW<name T, ...>`
    Row(Vec<Column>),
    /// Anything else, as written.
    Other(String),
}

/// A type with its nullability.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Nullable {
    /// The type.
    pub ty: ColumnType,
    /// False for `NOT NULL`.
    pub nullable: bool,
}

/// A named column or field.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    /// Name without quotes.
    pub name: String,
    /// Type and nullability.
    #[serde(flatten)]
    pub ty: Nullable,
}

impl Column {
    /// A nullable column.
    pub fn nullable(name: impl Into<String>, ty: ColumnType) -> Self {
        Self { name: name.into(), ty: Nullable { ty, nullable: true } }
    }

    /// A `NOT NULL` column.
    pub fn required(name: impl Into<String>, ty: ColumnType) -> Self {
        Self { name: name.into(), ty: Nullable { ty, nullable: false } }
    }
}

impl fmt::Display for Nullable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ty)?;
        if self.nullable { Ok(()) } else { f.write_str(" NOT NULL") }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("BOOLEAN"),
            Self::TinyInt => f.write_str("TINYINT"),
            Self::SmallInt => f.write_str("SMALLINT"),
            Self::Int => f.write_str("INT"),
            Self::BigInt => f.write_str("BIGINT"),
            Self::Float => f.write_str("FLOAT"),
            Self::Double => f.write_str("DOUBLE"),
            Self::Decimal { precision, scale } => write!(f, "DECIMAL({precision}, {scale})"),
            Self::Char(n) => write!(f, "CHAR({n})"),
            Self::VarChar(n) => write!(f, "VARCHAR({n})"),
            Self::String => f.write_str("STRING"),
            Self::Binary(n) => write!(f, "BINARY({n})"),
            Self::VarBinary(n) => write!(f, "VARBINARY({n})"),
            Self::Bytes => f.write_str("BYTES"),
            Self::Date => f.write_str("DATE"),
            Self::Time(p) => write!(f, "TIME({p})"),
            Self::Timestamp(p) => write!(f, "TIMESTAMP({p})"),
            Self::TimestampLtz(p) => write!(f, "TIMESTAMP_LTZ({p})"),
            Self::Array(t) => write!(f, "ARRAY<{t}>"),
            Self::Multiset(t) => write!(f, "MULTISET<{t}>"),
            Self::Map(k, v) => write!(f, "MAP<{k}, {v}>"),
            Self::Row(fields) => {
                f.write_str("ROW<")?;
                for (i, c) in fields.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}`{}` {}", c.name.replace('`', "``"), c.ty)?;
                }
                f.write_str(">")
            }
            Self::Other(text) => f.write_str(text),
        }
    }
}
