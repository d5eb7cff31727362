//! The whole story on the shop.

use std::path::Path;

use crate::story::narrator::Brief;
use crate::story::shop::Shop;
use crate::story::tale;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_that_is_added_reaches_the_warehouse_with_nothing_lost() {
    let shop = Shop::new("shop-test", 11).unwrap();
    let (program, folder) = (Path::new(env!("CARGO_BIN_EXE_cyanotype")), Path::new(env!("CARGO_TARGET_TMPDIR")));
    let told = tale::whole(shop, program, folder, &mut Brief::new("shop"), async |_, _| {}).await;
    if let Err(failure) = told {
        panic!("{failure}");
    }
}
