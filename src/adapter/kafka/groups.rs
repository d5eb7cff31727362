//! Consumer groups and what their members read.

use std::collections::BTreeSet;

use rdkafka::consumer::Consumer as _;

use super::reader::Reader;
use crate::port::PortResult;

/// Groups of consumers, as against those of Connect's workers and registries.
const CONSUMERS: &str = "consumer";

/// A group.
pub(super) struct Group {
    /// Its name.
    pub(super) name: String,
    /// Topics that its members are assigned partitions of.
    pub(super) reads: BTreeSet<String>,
}

/// Every consumer group that the cluster knows.
///
/// # Errors
/// Kafka's.
pub(super) fn all(reader: &Reader) -> PortResult<Vec<Group>> {
    let told = reader.consumer()?.fetch_group_list(None, reader.left());
    let told = told.map_err(|e| reader.failed("for the list of consumer groups", &e))?;
    // The type is empty once the members are gone.
    let of_consumers = |kind: &str| kind == CONSUMERS || kind.is_empty();
    let groups = told.groups().iter().filter(|group| of_consumers(group.protocol_type())).map(|group| {
        let assigned = group.members().iter().filter_map(|member| member.assignment());
        Group { name: group.name().to_owned(), reads: assigned.flat_map(topics).collect() }
    });
    Ok(groups.collect())
}

/// The topics in a member's assignment (`ConsumerProtocolAssignment` of Kafka's protocol, versions 0 to 3: version, then an
/// array of topic and partitions). What is in another form names none.
fn topics(assignment: &[u8]) -> Vec<String> {
    read(assignment).unwrap_or_default()
}

fn read(mut bytes: &[u8]) -> Option<Vec<String>> {
    take::<2>(&mut bytes)?;
    let mut topics = Vec::new();
    for _ in 0..i32::from_be_bytes(take(&mut bytes)?) {
        let length = usize::try_from(i16::from_be_bytes(take(&mut bytes)?)).ok()?;
        let (name, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        topics.push(std::str::from_utf8(name).ok()?.to_owned());
        let partitions = usize::try_from(i32::from_be_bytes(take(&mut bytes)?)).ok()?;
        bytes = bytes.get(partitions.checked_mul(4)?..)?;
    }
    Some(topics)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_names_its_topics() {
        let two = b"\0\x01\0\0\0\x02\0\x01a\0\0\0\x01\0\0\0\x07\0\x03b.c\0\0\0\0\0\0\0\0";
        assert_eq!(topics(two), ["a", "b.c"]);
    }

    #[test]
    fn what_is_cut_off_or_no_assignment_names_none() {
        let whole = b"\0\x01\0\0\0\x01\0\x01a\0\0\0\x01\0\0\0\x07";
        assert_eq!(topics(whole), ["a"]);
        for length in 0..whole.len() {
            assert_eq!(topics(&whole[..length]), Vec::<String>::new(), "{length} bytes");
        }
        assert_eq!(topics(b"\0\x01\x7f\xff\xff\xff\xff\xff"), Vec::<String>::new());
    }
}
