//! The whole story on the shop.

use std::path::Path;

use crate::brief::Brief;
use crate::story::failure::Outcome;
use crate::story::shop::Shop;
use crate::story::tale;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_that_is_added_reaches_the_warehouse_with_nothing_lost() -> Outcome {
    let (program, folder) = (Path::new(env!("CARGO_BIN_EXE_cyanotype")), Path::new(env!("CARGO_TARGET_TMPDIR")));
    let narrator = &mut Brief::new("shop");
    tale::whole(Shop::new("shop-test", 11)?, program, folder, narrator, async |_, _| {}).await
}
