//! The whole story on the shop, as `./x demo` shows it.

use std::path::Path;

use crate::brief::Brief;
use crate::refusals;
use crate::story::failure::Outcome;
use crate::story::narrator::Narrator;
use crate::story::run::Run;
use crate::story::shop::{self, Shop};
use crate::story::tale;
use crate::unproven;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_a_changed_statement_and_a_way_back_leave_the_warehouse_true() -> Outcome {
    let (program, folder) = (Path::new(env!("CARGO_BIN_EXE_cyanotype")), Path::new(env!("CARGO_TARGET_TMPDIR")));
    let narrator = &mut Brief::new("shop");
    let story = async |run: &mut Run<Shop>, narrator: &mut dyn Narrator| {
        shop::tell(run, narrator).await?;
        unproven::events_twice(run, narrator).await?;
        refusals::taken_by_the_registry(run, narrator).await
    };
    tale::told(Shop::new("shop-test", 11)?, program, folder, narrator, story, async |_, _| {}).await
}
