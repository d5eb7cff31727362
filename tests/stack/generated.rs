//! The whole story on a project that is drawn for this run.

use std::path::Path;

use crate::brief::Brief;
use crate::story::failure::{During as _, Outcome};
use crate::story::generated::{Generated, seed};
use crate::story::tale;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drawn_project_evolves_as_the_shop_does() -> Outcome {
    let seed = seed()?;
    let project = Generated::draw(seed, 5)?;
    println!("CYANOTYPE_SEED={seed} draws this project again\n{}", project.describe());
    let (program, folder) = (Path::new(env!("CARGO_BIN_EXE_cyanotype")), Path::new(env!("CARGO_TARGET_TMPDIR")));
    let told = tale::whole(project, program, folder, &mut Brief::new("drawn"), async |_, _| {}).await;
    told.during(format!("CYANOTYPE_SEED={seed}"))
}

#[test]
fn the_same_seed_draws_the_same_project() {
    for seed in 0..50 {
        let describe = || Generated::draw(seed, 5).unwrap().describe();
        assert_eq!(describe(), describe(), "seed {seed}");
    }
}
