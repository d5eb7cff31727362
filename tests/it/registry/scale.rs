//! Five thousand subjects with four versions each: what the first look and an idle one cost.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use cyanotype::port::Registry;

use super::stub::{Can, Stub};

const SUBJECTS: usize = 5_000;
const VERSIONS: usize = 4;
/// Bytes of a schema: an envelope of a table with ten columns.
const SIZE: usize = 6_000;
const FIRST: Duration = Duration::from_secs(10);

/// The most memory that this process ever had, MiB; `None` where the system does not tell.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

/// `cargo test --release --test it -- --ignored --nocapture --exact registry::scale::thousands_of_subjects`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn thousands_of_subjects() {
    let confluent = Can::confluent();
    let names: BTreeSet<String> = (0..SUBJECTS).map(|n| format!("shop.t{n:04}-value")).collect();
    for (what, can, idle) in [
        ("pages of 1000", confluent.clone(), 5),
        ("all at once", Can::karapace(), 1),
        ("all at once, named states", Can { etags: true, ..Can::karapace() }, 1),
        ("each subject", Can::apicurio(), SUBJECTS),
    ] {
        let stub = Stub::new(can, &[]).await;
        {
            let mut state = stub.now();
            state.size = SIZE;
            names.iter().for_each(|name| (0..VERSIONS).for_each(|_| assert!(state.register(name) > 0)));
        }
        let client = stub.client();
        let mut took = Vec::new();
        for _ in 0..2 {
            stub.asked();
            let start = Instant::now();
            let latest = client.latest(&names).await.unwrap();
            took.push(start.elapsed());
            assert!(latest.len() == SUBJECTS && latest.values().all(|version| *version == 4));
        }
        let requests = stub.asked().len();
        let peak = peak_mib();
        println!(
            "{what}: first look {:?}, idle look {:?} with {requests} requests, peak {peak:?} MiB",
            took[0], took[1]
        );
        assert!(took[0] < FIRST, "{what}: {took:?}");
        assert_eq!(requests, idle, "{what}");
        assert!(peak.is_none_or(|mib| mib < 200), "{what}: {peak:?} MiB, the stub's own included");
    }
}
