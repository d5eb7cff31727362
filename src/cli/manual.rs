//! `docs/cli.md`, made from the commands themselves so that it cannot say anything else.

/// Under the help of every command line.
pub(super) const EXIT_CODES: &str = "Exit codes: 0 done or yes, 1 the answer is no, 2 could not answer.";

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use clap::{Arg, Command, CommandFactory};

    use super::*;
    use crate::cli::Cli;

    const BEGIN: &str = "# The command line

Made from the program: `UPDATE_DOCS=1 cargo test --lib cli::manual` writes this page again.

The answer goes to stdout, everything else to stderr. With `--output json` the answer is JSON, and so is an error on stderr:
`{\"error\": {\"cause\", \"message\", \"causes\", \"help\"}}`. Colours appear on a terminal only, and never with `NO_COLOR` set.
Commands that ask the daemon take the token in `CYANOTYPE_TOKEN`, else the first token in the environment's section that has
the scope.
";

    /// Links of the contents in one line.
    const LINKS: usize = 6;

    fn manual() -> String {
        let mut command = Cli::command();
        command.build();
        let mut page = BEGIN.to_owned();
        let _ = write!(page, "\n{EXIT_CODES}\n\nCommands, in the order in which they are needed:\n");
        let commands = || command.get_subcommands().filter(|sub| sub.get_name() != "help");
        let links: Vec<String> = commands().map(|sub| format!("[{0}](#{0})", sub.get_name())).collect();
        let lines: Vec<String> = links.chunks(LINKS).map(|line| line.join(", ")).collect();
        let _ = write!(page, "{}.\n\n## Everywhere\n\n", lines.join(",\n"));
        for arg in command.get_arguments().filter(|arg| arg.is_global_set()) {
            page.push_str(&line(arg));
        }
        page.extend(commands().map(section));
        page
    }

    fn section(command: &Command) -> String {
        let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").trim();
        let mut page = format!("\n## {}\n\n{about}\n\n```\n{usage}\n```\n\n", command.get_name());
        let own = command.get_arguments().filter(|arg| !arg.is_global_set() && arg.get_id() != "help");
        page.extend(own.map(line));
        page.truncate(page.trim_end().len());
        page.push('\n');
        page
    }

    fn line(arg: &Arg) -> String {
        let value = arg.get_value_names().map(|names| names.join(" ")).filter(|_| arg.get_action().takes_values());
        let name = match (arg.get_long(), value) {
            (Some(long), Some(value)) => format!("--{long} {value}"),
            (Some(long), None) => format!("--{long}"),
            (None, value) => value.unwrap_or_default(),
        };
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        // A default in words is part of the help, and said here as any other one.
        let (help, words) = match help.strip_suffix(']').and_then(|help| help.split_once(" [default: ")) {
            Some((help, default)) => (help.to_owned(), Some(default.to_owned())),
            None => (help, None),
        };
        let mut text = format!("{}.", help.trim_end_matches('.'));
        if let Some(variable) = arg.get_env() {
            let _ = write!(text, " Environment: `{}`.", variable.display());
        }
        if let Some(words) = words {
            let _ = write!(text, " Default: {words}.");
        }
        let default: Vec<_> = arg.get_default_values().iter().map(|value| value.display().to_string()).collect();
        if !default.is_empty() && arg.get_action().takes_values() {
            let _ = write!(text, " Default: `{}`.", default.join(" "));
        }
        format!("- `{name}`: {text}\n")
    }

    #[test]
    fn the_page_says_what_the_program_says() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
        let page = manual();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &page).unwrap();
        }
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(written == page, "docs/cli.md is behind the program: UPDATE_DOCS=1 cargo test --lib cli::manual");
    }

    /// Codes in the text of a source file, its tests left out.
    fn codes(text: &str) -> impl Iterator<Item = &str> {
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        product.split('"').filter(|word| {
            let mut letters = word.chars();
            matches!(letters.next(), Some('C' | 'S')) && word.len() == 4 && letters.all(|c| c.is_ascii_digit())
        })
    }

    fn sources(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "tests") {
                sources(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs")
                && path.file_stem().is_some_and(|name| name != "tests")
            {
                found.push(std::fs::read_to_string(&path).unwrap());
            }
        }
    }

    #[test]
    fn every_code_of_a_diagnostic_has_its_page() {
        assert_eq!(codes("error(\"C102\", \"S1\") #[cfg(test)] \"C999\"").collect::<Vec<_>>(), ["C102"]);
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut texts = Vec::new();
        sources(&root.join("src"), &mut texts);
        let index = std::fs::read_to_string(root.join("docs/errors/README.md")).unwrap();
        for code in texts.iter().flat_map(|text| codes(text)) {
            let page = std::fs::read_to_string(root.join(format!("docs/errors/{code}.md"))).unwrap_or_default();
            assert!(
                page.starts_with(&format!("# {code}: ")),
                "write docs/errors/{code}.md, it begins with `# {code}: `"
            );
            assert!(index.contains(&format!("({code}.md)")), "list {code} in docs/errors/README.md");
        }
    }

    #[test]
    fn the_commands_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_is_for() {
        let mut command = Cli::command();
        command.build();
        for sub in command.get_subcommands() {
            assert!(sub.get_about().is_some_and(|about| !about.to_string().is_empty()), "{}", sub.get_name());
        }
    }
}
