//! Going back on the real services, on a project that is drawn for this run and has names of its own.

use std::path::Path;

use crate::brief::Brief;
use crate::steps;
use crate::story::failure::{During as _, Outcome};
use crate::story::generated::{Generated, seed};
use crate::story::going_back;
use crate::story::narrator::Narrator;
use crate::story::run::Run;
use crate::story::tale;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn going_back_leaves_what_blue_says_and_nothing_of_green() -> Outcome {
    let seed = seed()?;
    let (seed, project) = steps::with_the_column_in_the_fact(seed)?;
    println!("CYANOTYPE_SEED={seed} draws this project again\n{}", project.describe());
    let (program, folder) = (Path::new(env!("CARGO_BIN_EXE_cyanotype")), Path::new(env!("CARGO_TARGET_TMPDIR")));
    let narrator = &mut Brief::new("back");
    let story = async |run: &mut Run<Generated>, narrator: &mut dyn Narrator| told(run, narrator).await;
    let told = tale::told(project, program, folder, narrator, story, async |_, _| {}).await;
    told.during(format!("CYANOTYPE_SEED={seed}"))
}

async fn told(run: &mut Run<Generated>, narrator: &mut dyn Narrator) -> Outcome {
    tale::begin(run, narrator).await?;
    tale::deploy(run, narrator).await?;
    going_back::tell(run, narrator).await
}
