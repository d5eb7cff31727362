//! `cyanotype plan --since` through the program itself, on git repositories of its own.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const DIM: &str = "pipelines/dimensions/shop/dim_customers/sql-scripts/dml.dim_customers.sql";
const LINES: &str = "pipelines/intermediates/shop/int_priced_lines/sql-scripts";

/// The shop in a git repository, as a folder of it.
struct Shop {
    dir: tempfile::TempDir,
}

/// What a call came to.
struct Done {
    code: i32,
    out: String,
    err: String,
}

impl Shop {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/shop");
        for folder in ["pipelines", "connectors"] {
            copy(&from.join(folder), &dir.path().join("project").join(folder));
        }
        let shop = Self { dir };
        shop.git(&["init", "-q", "-b", "main"]);
        shop.commit("first");
        shop
    }

    fn git(&self, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(args).current_dir(self.dir.path());
        for role in ["GIT_AUTHOR", "GIT_COMMITTER"] {
            command.env(format!("{role}_NAME"), "A").env(format!("{role}_EMAIL"), "a@localhost");
        }
        for own in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
            command.env_remove(own);
        }
        let done = command.output().unwrap();
        assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let path = self.dir.path().join("project").join(path);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {}", path.display());
        std::fs::write(&path, text.replace(from, to)).unwrap();
    }

    fn plan(&self, args: &[&str]) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cyanotype"));
        for (name, _) in std::env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("CYANOTYPE_")) {
            command.env_remove(name);
        }
        let all = ["plan", "--project", "project", "--offline"];
        let done = command.args(all).args(args).env("NO_COLOR", "1").current_dir(self.dir.path()).output().unwrap();
        let [out, err] = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        Done { code: done.status.code().unwrap(), out, err }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn what_the_working_tree_says_otherwise_is_planned_and_nothing_is_touched() {
    let shop = Shop::new();
    shop.edit(DIM, "ELSE 'Other'", "ELSE 'Elsewhere'");
    let before = (shop.git(&["status", "--porcelain=v2"]), shop.git(&["rev-parse", "HEAD"]));
    let done = shop.plan(&["--since", "HEAD", "--exit-code"]);
    assert_eq!(done.code, 1, "{}", done.err);
    assert!(
        done.out.starts_with("offline: since HEAD, dim_customers changed: 2 tables become green\n"),
        "{}",
        done.out
    );
    for line in
        ["  dim_customers: `region` made differently\n", "+        ELSE 'Elsewhere'\n", "+JOIN dim_customers_v2 AS c"]
    {
        assert!(done.out.contains(line), "{line:?} in\n{}", done.out);
    }
    assert_eq!((shop.git(&["status", "--porcelain=v2"]), shop.git(&["rev-parse", "HEAD"])), before);
}

#[test]
fn every_kind_of_revision_is_taken_and_the_commit_is_in_the_plan() {
    let shop = Shop::new();
    shop.git(&["tag", "v1"]);
    shop.edit(DIM, "ELSE 'Other'", "ELSE 'Elsewhere'");
    shop.commit("second");
    let head = shop.git(&["rev-parse", "HEAD"]);
    let first = shop.git(&["rev-parse", "HEAD~1"]);
    for revision in ["v1", "HEAD~1", "main~1", &first] {
        let done = shop.plan(&["--since", revision, "--output", "json"]);
        let plan: Value = serde_json::from_str(&done.out).unwrap_or_else(|e| panic!("{e}: {}", done.err));
        assert_eq!(
            (done.code, &plan["kind"], &plan["assumptions"]["commit"]),
            (0, &"change".into(), &head.as_str().into())
        );
    }
    let nothing = shop.plan(&["--since", "HEAD"]);
    assert_eq!((nothing.code, nothing.out.as_str()), (0, "the change reaches no statement\n"));
}

#[test]
fn a_plan_can_be_written_for_apply() {
    let shop = Shop::new();
    shop.edit(DIM, "ELSE 'Other'", "ELSE 'Elsewhere'");
    let done = shop.plan(&["--since", "main", "--rollout-plan-out", "plan.json", "--no-diff"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let written = std::fs::read_to_string(shop.dir.path().join("plan.json")).unwrap();
    let plan: cyanotype::plan::Plan = serde_json::from_str(&written).unwrap();
    assert!(done.out.contains(&plan.digest()), "{}", done.out);
}

#[test]
fn a_placeholder_that_nobody_gives_a_value_is_named() {
    let shop = Shop::new();
    shop.edit(DIM, "ELSE 'Other'", "ELSE '${ELSEWHERE}'");
    assert_eq!(shop.plan(&["--since", "HEAD"]).code, 0, "nobody says what placeholders there are");
    let vars =
        ["KAFKA", "REGISTRY", "REGISTRY_APICURIO", "TOPIC_PREFIX", "POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB"];
    let vars = vars.into_iter().chain(["POSTGRES_USER", "POSTGRES_PASSWORD"]);
    let vars: Vec<String> = vars.map(|name| format!("{name} = \"v\"")).collect();
    let config = format!(
        "[env.dev]\nkafka.brokers = \"127.0.0.1:1\"\nregistry.url = \"http://127.0.0.1:1\"\n\
         flink = {{ gateway = \"http://127.0.0.1:1\", rest = \"http://127.0.0.1:1\" }}\nvars = {{ {} }}\n",
        vars.join(", ")
    );
    std::fs::write(shop.dir.path().join("cyanotype.toml"), config).unwrap();
    let done = shop.plan(&["--since", "HEAD"]);
    assert_eq!(done.code, 1, "{}", done.err);
    assert!(done.out.contains("error[C109]: no value for ${ELSEWHERE}"), "{}", done.out);
    assert!(done.out.contains(&format!("--> {DIM}:")), "{}", done.out);
    shop.edit(DIM, "ELSE '${ELSEWHERE}'", "ELSE 'Elsewhere'");
    let done = shop.plan(&["--since", "HEAD"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
}

#[test]
fn comments_and_layout_are_no_change() {
    let shop = Shop::new();
    shop.edit(DIM, "-- Adds the sales region.", "-- Puts the sales region in.");
    shop.edit(DIM, "ELSE 'Other'", "else   'Other'");
    let done = shop.plan(&["--since", "HEAD", "--exit-code"]);
    assert_eq!((done.code, done.out.as_str()), (0, "the change reaches no statement\n"));
}

#[test]
fn a_column_that_is_used_behind_is_pointed_at() {
    let shop = Shop::new();
    shop.edit(&format!("{LINES}/ddl.int_priced_lines.sql"), "    unit_price  DECIMAL(10, 2),\n", "");
    shop.edit(&format!("{LINES}/dml.int_priced_lines.sql"), "    i.unit_price,\n", "");
    let done = shop.plan(&["--since", "HEAD"]);
    assert_eq!(done.code, 1);
    let wanted = "\
error[C305]: `vw_sold_lines` uses column `unit_price`, which `int_priced_lines` no longer has
  --> pipelines/views/shop/vw_sold_lines/sql-scripts/ddl.vw_sold_lines.sql:11:5
   |
11 |     unit_price,
   |     ^^^^^^^^^^ given up by the change
help: take it out here as well, or keep it in `int_priced_lines`
";
    assert!(done.out.starts_with(wanted), "{}", done.out);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let shop = Shop::new();
    let unknown = shop.plan(&["--since", "nowhere"]);
    assert_eq!(unknown.code, 2);
    assert!(
        unknown.err.contains("revision `nowhere`") && unknown.err.contains("no such branch, tag or commit"),
        "{}",
        unknown.err
    );
    shop.edit(DIM, "SELECT\n", "SELECT FROM\n");
    let broken = shop.plan(&["--since", "HEAD"]);
    assert_eq!(broken.code, 1, "{}", broken.err);
    assert!(broken.out.contains(DIM), "{}", broken.out);
    shop.commit("broken");
    shop.edit(DIM, "SELECT FROM\n", "SELECT\n");
    let broken = shop.plan(&["--since", "HEAD"]);
    assert!(broken.out.contains(&format!("HEAD:{DIM}")), "{}", broken.out);
    let other = Command::new(env!("CARGO_BIN_EXE_cyanotype")).args(["plan", "--offline"]).output().unwrap();
    assert_eq!(other.status.code(), Some(2), "--offline is about --since");
    let mut live = Command::new(env!("CARGO_BIN_EXE_cyanotype"));
    let live = live.args(["plan", "--since", "HEAD", "--config", "none.toml"]).output().unwrap();
    assert_eq!(live.status.code(), Some(2));
    assert!(String::from_utf8(live.stderr).unwrap().contains("add --offline"));
}
