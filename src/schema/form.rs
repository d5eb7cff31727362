//! What a stored value means: base type, logical type, and the names that Kafka Connect and Debezium add.
//!
//! Rules: the logical type comes first, the `connect.name` second, because Debezium's temporal types mostly have no
//! logical type. An invalid logical type is ignored, as Avro does.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::avro::{AvroSchema, NodeId, Type};

/// Base type and annotations of one Avro type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvroForm {
    /// Avro's word for the type, such as `bytes`.
    pub base: String,
    /// `logicalType`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logical_type: Option<String>,
    /// Digits in all of a decimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<u32>,
    /// Digits after the point of a decimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<u32>,
    /// `connect.name`, such as `io.debezium.time.MicroTimestamp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_name: Option<String>,
    /// `connect.type`, such as `int16`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_type: Option<String>,
    /// Bytes of a fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// What the number or text stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// Itself.
    Plain,
    /// An unscaled number.
    Decimal {
        /// Digits in all, when the schema says so.
        precision: Option<u32>,
        /// Digits after the point.
        scale: u32,
    },
    /// Days since 1970.
    Date,
    /// Time of day.
    Time(Unit),
    /// Point in time since 1970.
    Timestamp(Unit),
    /// Wall clock without a zone, since 1970.
    LocalTimestamp(Unit),
    /// Another temporal form, named by Debezium or Avro.
    Special(String),
}

/// Unit of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Unit {
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

impl AvroForm {
    /// What a value of this form means.
    pub fn meaning(&self) -> Meaning {
        use Unit::{Microseconds, Milliseconds, Nanoseconds};
        let is_long = self.base == "long";
        let is_int = self.base == "int";
        let is_text = self.base == "string";
        match self.logical_type.as_deref() {
            Some("decimal") if self.is_decimal_base() => return self.decimal_meaning(),
            Some("date") if is_int => return Meaning::Date,
            Some("time-millis") if is_int => return Meaning::Time(Milliseconds),
            Some("time-micros") if is_long => return Meaning::Time(Microseconds),
            Some("timestamp-millis") if is_long => return Meaning::Timestamp(Milliseconds),
            Some("timestamp-micros") if is_long => return Meaning::Timestamp(Microseconds),
            Some("timestamp-nanos") if is_long => return Meaning::Timestamp(Nanoseconds),
            Some("local-timestamp-millis") if is_long => return Meaning::LocalTimestamp(Milliseconds),
            Some("local-timestamp-micros") if is_long => return Meaning::LocalTimestamp(Microseconds),
            Some("local-timestamp-nanos") if is_long => return Meaning::LocalTimestamp(Nanoseconds),
            Some("duration") if self.base == "fixed" => return Meaning::Special("duration".into()),
            _ => {}
        }
        let Some(name) = self.connect_name.as_deref() else { return Meaning::Plain };
        match name {
            "org.apache.kafka.connect.data.Decimal" if self.is_decimal_base() => self.decimal_meaning(),
            "org.apache.kafka.connect.data.Date" | "io.debezium.time.Date" if is_int => Meaning::Date,
            "org.apache.kafka.connect.data.Time" | "io.debezium.time.Time" if is_int => Meaning::Time(Milliseconds),
            "io.debezium.time.MicroTime" if is_long => Meaning::Time(Microseconds),
            "io.debezium.time.NanoTime" if is_long => Meaning::Time(Nanoseconds),
            "org.apache.kafka.connect.data.Timestamp" | "io.debezium.time.Timestamp" if is_long => {
                Meaning::Timestamp(Milliseconds)
            }
            "io.debezium.time.MicroTimestamp" if is_long => Meaning::Timestamp(Microseconds),
            "io.debezium.time.NanoTimestamp" if is_long => Meaning::Timestamp(Nanoseconds),
            special if special.starts_with("io.debezium.time.") && (is_int || is_long || is_text) => {
                Meaning::Special(special.to_owned())
            }
            _ => Meaning::Plain,
        }
    }

    /// Precision and scale where Avro accepts the decimal.
    pub fn valid_decimal(&self) -> Option<(u32, u32)> {
        if self.logical_type.as_deref() != Some("decimal") || !self.is_decimal_base() {
            return None;
        }
        let precision = self.precision.filter(|p| *p > 0)?;
        let scale = self.scale.unwrap_or(0);
        let fits = self.size.is_none_or(|size| f64::from(precision) <= max_digits(size));
        (scale <= precision && fits).then_some((precision, scale))
    }

    /// In a few words, with `base` standing for the base type.
    pub(super) fn label(&self, base: &str) -> String {
        match self.meaning() {
            Meaning::Decimal { precision: Some(p), scale } => format!("decimal({p}, {scale}) on {base}"),
            Meaning::Decimal { precision: None, scale } => format!("decimal with scale {scale} on {base}"),
            _ => match self.logical_type.as_ref().or(self.connect_name.as_ref()) {
                Some(what) => format!("{base} ({what})"),
                None => base.to_owned(),
            },
        }
    }

    fn is_decimal_base(&self) -> bool {
        self.base == "bytes" || self.base == "fixed"
    }

    fn decimal_meaning(&self) -> Meaning {
        Meaning::Decimal { precision: self.precision, scale: self.scale.unwrap_or(0) }
    }
}

/// Decimal digits that a two's complement number of `size` bytes always holds.
fn max_digits(size: u64) -> f64 {
    let bits = u32::try_from(size.saturating_mul(8)).unwrap_or(u32::MAX).saturating_sub(1);
    (f64::from(bits) * std::f64::consts::LOG10_2).floor()
}

impl AvroSchema {
    /// Base type and annotations of the type at `id`.
    pub fn form(&self, id: NodeId) -> AvroForm {
        let node = self.node(id);
        let text = |key: &str| node.props.get(key).and_then(Value::as_str).map(str::to_owned);
        let number = |key: &str| {
            let own = node.props.get(key);
            let parameter = node.props.get("connect.parameters").and_then(|p| p.get(key));
            own.or(parameter).and_then(whole_number)
        };
        let size = if let Type::Fixed { size, .. } = &node.ty { Some(*size) } else { None };
        let mut form = AvroForm {
            base: node.ty.word().to_owned(),
            logical_type: text("logicalType"),
            connect_name: text("connect.name"),
            connect_type: text("connect.type"),
            size,
            ..AvroForm::default()
        };
        if matches!(form.meaning(), Meaning::Decimal { .. }) {
            form.precision = number("precision").or_else(|| {
                node.props
                    .get("connect.parameters")
                    .and_then(|p| p.get("connect.decimal.precision"))
                    .and_then(whole_number)
            });
            form.scale = number("scale");
        }
        form
    }
}

fn whole_number(json: &Value) -> Option<u32> {
    match json {
        Value::Number(n) => n.as_u64().and_then(|n| u32::try_from(n).ok()),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    }
}

impl fmt::Display for AvroForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = match self.size {
            Some(size) => format!("{}({size})", self.base),
            None => self.base.clone(),
        };
        f.write_str(&self.label(&base))
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
            Self::Nanoseconds => "nanoseconds",
        })
    }
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => f.write_str("plain values"),
            Self::Decimal { scale, .. } => write!(f, "decimals with scale {scale}"),
            Self::Date => f.write_str("days"),
            Self::Time(unit) => write!(f, "times of day in {unit}"),
            Self::Timestamp(unit) => write!(f, "timestamps in {unit}"),
            Self::LocalTimestamp(unit) => write!(f, "local timestamps in {unit}"),
            Self::Special(name) => f.write_str(name),
        }
    }
}
