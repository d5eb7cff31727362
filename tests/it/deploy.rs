//! The files of deployment say what the program does: commands parse, configurations can be read, files that are named exist,
//! and what must be the same in two places is.

use std::path::{Path, PathBuf};

use clap::Parser as _;
use cyanotype::config::{Config, Need, Reads};

const CHART: &str = "deploy/kubernetes/helm/cyanotype";
const COMPOSE: &str = "docker-compose.yml";
const IMAGE: &str = "deploy/docker/Dockerfile";
const UNIT: &str = "deploy/systemd/cyanotype.service";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn chart(path: &str) -> String {
    text(&format!("{CHART}/{path}"))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The lines below the first line that is `head` but for its indentation, as far as they are indented more.
fn below(text: &str, head: &str) -> Vec<String> {
    let mut lines = text.lines().skip_while(|line| line.trim() != head);
    let outer = indent(lines.next().unwrap_or_else(|| panic!("there is no line `{head}`")));
    lines.take_while(|line| line.trim().is_empty() || indent(line) > outer).map(str::to_owned).collect()
}

/// The entries of a list below `head`.
fn entries(text: &str, head: &str) -> Vec<String> {
    below(text, head).iter().filter_map(|line| line.trim().strip_prefix("- ").map(str::to_owned)).collect()
}

/// What follows `key` in the first line that begins with it.
fn value(text: &str, key: &str) -> String {
    let found = text.lines().find_map(|line| line.trim().strip_prefix(key));
    found.unwrap_or_else(|| panic!("no line begins with `{key}`")).trim().trim_matches('"').to_owned()
}

/// The instructions of the Dockerfile without comments, continued lines as one.
fn instructions() -> Vec<String> {
    let text = text(IMAGE);
    let kept: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    kept.join("\n").replace("\\\n", " ").lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// What follows each `word` of the Dockerfile.
fn each(word: &str) -> Vec<String> {
    instructions().iter().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' ').map(str::to_owned)).collect()
}

/// The daemon's part of the compose file.
fn compose_daemon() -> String {
    below(&text(COMPOSE), "daemon:").join("\n")
}

/// Puts the defaults in the place of `${NAME:-default}`.
fn defaulted(text: &str) -> String {
    let mut parts = text.split("${");
    let mut done = parts.next().unwrap().to_owned();
    for part in parts {
        let (inside, after) = part.split_once('}').unwrap();
        let (_, default) = inside.split_once(":-").unwrap_or_else(|| panic!("${{{inside}}} has no default"));
        done.push_str(default);
        done.push_str(after);
    }
    done
}

#[test]
fn the_chart_carries_the_alert_rules_themselves() {
    let rules = text("deploy/prometheus/rules.yml");
    let hint = "must be a link to deploy/prometheus/rules.yml (a checkout without links gives a file with its target)";
    assert!(chart("files/rules.yml") == rules, "{CHART}/files/rules.yml {hint}");
    assert!(chart("templates/monitoring.yaml").contains("{{ .Files.Get \"files/rules.yml\" | trim | indent 2 }}"));
    // Every rule asks for one job an environment, by this name.
    let job = value(&chart("templates/monitoring.yaml"), "replacement:");
    assert_eq!(job, "cyanotype-{{ .Values.env }}");
    assert!(rules.contains("up{job=~\"cyanotype.*\"}"));
}

#[test]
fn versions_are_the_packages() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(value(&chart("Chart.yaml"), "version:"), version);
    assert_eq!(value(&chart("Chart.yaml"), "appVersion:"), version);
    assert_eq!(value(&compose_daemon(), "image:"), format!("cyanotype:{version}"));
    let build = each("FROM").first().unwrap().clone();
    let oldest = format!("rust:{}.", env!("CARGO_PKG_RUST_VERSION"));
    assert!(build.starts_with(&oldest), "{build} is not {oldest}..., the oldest Rust that Cargo.toml promises");
}

#[test]
fn every_command_of_a_deployment_parses() {
    let json = |text: &str| serde_json::from_str::<Vec<String>>(text).unwrap();
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<String>>();
    let with_program = |arguments: Vec<String>| [vec!["cyanotype".to_owned()], arguments].concat();
    let image = [json(each("ENTRYPOINT").first().unwrap()), json(each("CMD").first().unwrap())].concat();
    let unit = words(&value(&text(UNIT), "ExecStart=/usr/local/bin/"));
    let pod = entries(&chart("templates/deployment.yaml"), "args:");
    let pod = pod.iter().map(|word| word.replace("{{ .Values.env }}", "prod")).collect();
    let container = entries(&defaulted(&compose_daemon()), "command:");
    for command in [image, unit, with_program(pod), with_program(container)] {
        assert_eq!(command[..2], ["cyanotype", "serve"], "{command:?}");
        let parsed = cyanotype::cli::Cli::try_parse_from(&command);
        assert!(parsed.is_ok(), "{command:?}: {}", parsed.unwrap_err());
    }
}

#[test]
fn the_charts_configuration_can_be_used() {
    let values = chart("values.yaml");
    let secrets = tempfile::tempdir().unwrap();
    let text = below(&values, "config: |").join("\n");
    for name in text.split("/run/secrets/").skip(1).filter_map(|rest| rest.split('"').next()) {
        std::fs::write(secrets.path().join(name), "0123456789abcdef\n").unwrap();
    }
    let text = text.replace("/run/secrets", secrets.path().to_str().unwrap());
    let file = Path::new("cyanotype.toml");
    let config = Config::parse(&text, file, Some(&value(&values, "env:")), Need::Everything, &|_| None);
    let config = config.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(config.project, PathBuf::from("/project"));
    assert!(config.env.api.listen.ip().is_unspecified(), "a pod that listens on its loopback answers no probe");
    assert_eq!(config.env.api.listen.port().to_string(), value(&values, "port:"));
    assert_eq!(config.env.api.reads_on(config.env.api.listen), Reads::Token);
    assert_eq!(config.env.api.tokens.len(), 2);
}

#[test]
fn a_daemon_that_stands_by_is_alive_and_not_ready() {
    let deployment = chart("templates/deployment.yaml");
    let probes = [("livenessProbe:", "/healthz"), ("readinessProbe:", "/readyz")];
    let served = text("src/web/mod.rs");
    for (probe, path) in probes {
        let asked = below(&deployment, probe).join("\n");
        assert!(asked.contains(&format!("path: {path},")), "{probe} {asked}");
        assert!(served.contains(&format!(".route(\"{path}\"")), "{path}");
    }
    // Whoever waits for every pod to be ready waits for ever: an update must not.
    assert_eq!(value(&deployment, "maxUnavailable:"), "100%");
    let address = "http://127.0.0.1:18080/healthz";
    assert!(each("HEALTHCHECK").iter().any(|check| check.contains(address)), "{IMAGE}");
    assert!(defaulted(&below(&compose_daemon(), "healthcheck:").join("\n")).contains(address), "{COMPOSE}");
}

#[test]
fn the_image_is_pinned_holds_no_more_than_it_needs_and_is_not_roots() {
    for base in each("FROM") {
        let tag = base.split(' ').next().unwrap().split_once(':').map_or("", |(_, tag)| tag);
        assert!(
            tag.split(['.', '-']).filter(|part| part.starts_with(|c: char| c.is_ascii_digit())).count() >= 1,
            "{base}"
        );
    }
    let ignored = text(".dockerignore");
    let rules: Vec<&str> = ignored.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(rules[0], "*", "the context is what is named, and nothing else");
    let mut allowed: Vec<&str> = rules[1..].iter().map(|rule| rule.strip_prefix('!').unwrap()).collect();
    let mut copied: Vec<String> = each("COPY")
        .iter()
        .filter(|line| !line.starts_with("--from="))
        .flat_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words[..words.len() - 1].iter().map(|word| (*word).to_owned()).collect::<Vec<String>>()
        })
        .collect();
    allowed.sort_unstable();
    copied.sort_unstable();
    assert_eq!(copied, allowed);
    for path in copied {
        assert!(root().join(&path).exists(), "{path}");
    }
    let user = each("USER").last().unwrap().clone();
    let (user, group) = user.split_once(':').unwrap();
    assert!(user.parse::<u32>().is_ok_and(|user| user > 0), "{user}: a name cannot be told from root");
    let deployment = chart("templates/deployment.yaml");
    assert_eq!((value(&deployment, "runAsUser:").as_str(), value(&deployment, "runAsGroup:").as_str()), (user, group));
}

#[test]
fn what_the_compose_file_mounts_exists_and_its_variables_have_defaults() {
    let compose = defaulted(&text(COMPOSE));
    let mounts: Vec<&str> = compose.lines().filter_map(|line| line.trim().strip_prefix("- ./")).collect();
    assert!(mounts.len() >= 5, "{mounts:?}");
    for mount in mounts {
        let path = mount.split(':').next().unwrap();
        assert!(root().join(path).exists(), "./{path}");
    }
    let from_configuration = text("cyanotype.toml");
    for name in below(&compose_daemon(), "environment:").iter().filter_map(|line| line.trim().split(':').next()) {
        assert!(from_configuration.contains(&format!("\"{name}\"")), "cyanotype.toml takes no {name}");
    }
}

#[test]
fn the_page_names_secrets_where_unit_and_chart_put_them() {
    let loaded = value(&text(UNIT), "LoadCredential=");
    let (id, folder) = loaded.split_once(':').unwrap();
    let page = text("docs/deploy.md");
    assert!(page.contains(&format!("{{ file = \"/run/credentials/cyanotype.service/{id}_")), "{id}");
    assert!(page.contains(folder), "{folder}");
    let mounted = value(&below(&chart("templates/deployment.yaml"), "- name: secrets").join("\n"), "mountPath:");
    assert!(page.contains(&format!("{{ file = \"{mounted}/")), "{mounted}");
    assert!(chart("values.yaml").contains(&format!("{{ file = \"{mounted}/")), "{mounted}");
}
