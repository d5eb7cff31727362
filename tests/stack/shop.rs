//! The whole story on the shop: a column comes, and then a statement is changed.

use std::path::Path;

use crate::brief::Brief;
use crate::changed;
use crate::story::failure::{Failure, Outcome};
use crate::story::shop::Shop;
use crate::story::tale;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_that_is_added_and_a_changed_statement_reach_the_warehouse_with_nothing_lost() -> Outcome {
    let (program, folder) = (Path::new(env!("CARGO_BIN_EXE_cyanotype")), Path::new(env!("CARGO_TARGET_TMPDIR")));
    let narrator = &mut Brief::new("shop");
    let mut after = Ok(());
    let told = tale::whole(Shop::new("shop-test", 11)?, program, folder, narrator, async |run, narrator| {
        after = changed::told(run, narrator).await;
        if let Err(error) = &after {
            let log = run.daemon.as_ref().map_or(String::new(), |daemon| daemon.last_words());
            after = Err(Failure::new(format!("{error}\n--- the daemon's log ends with\n{log}")));
        }
    })
    .await;
    told.and(after)
}
