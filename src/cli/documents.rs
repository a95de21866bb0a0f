//! Every command line that a document tells somebody to type is one.

use std::path::Path;

use clap::error::ErrorKind;

use super::{Cli, words};
use clap::CommandFactory as _;

const DOCUMENTS: [&str; 8] = [
    "README.md",
    "README.zh-CN.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "deploy/README.md",
    "deploy/cuiban.toml",
    "config/default.toml",
    "config/templates.md",
];

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Why this is no command line; `whole` where nothing of it may be left out.
fn fault(line: &str, whole: bool) -> Option<String> {
    // What the shell does with it is another matter.
    let line = line.split(['|', '>', '#', '&', '；', '，', '。', '）']);
    let line = line.take(1).collect::<String>();
    let typed = line.split_whitespace().map(|word| word.trim_matches('"'));
    let parsed = words::in_chinese(Cli::command()).try_get_matches_from(typed);
    let kind = parsed.err()?.kind();
    if matches!(kind, ErrorKind::DisplayVersion | ErrorKind::DisplayHelp) {
        return None;
    }
    // A value that the reader has to fill in is cut off, or missing.
    let named = matches!(
        kind,
        ErrorKind::InvalidValue
            | ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    (whole || !named).then(|| format!("{line}: {kind:?}"))
}

#[test]
fn what_the_documents_say_to_type_can_be_typed() {
    let mut faults = Vec::new();
    let mut count = 0;
    for document in DOCUMENTS {
        let mut in_block = false;
        for line in read(document).lines() {
            if line.starts_with("```") {
                in_block = line == "```sh";
                continue;
            }
            let mut check = |line: &str, whole| {
                count += 1;
                let fault = fault(line, whole);
                faults.extend(fault.map(|fault| format!("{document}: {fault}")));
            };
            let typed = line.strip_prefix("sudo ").unwrap_or(line);
            if in_block && typed.starts_with("cuiban ") {
                check(typed, true);
            }
            // `cuiban restore` in a sentence may leave out what depends.
            for quoted in line.split('`').skip(1).step_by(2) {
                if !in_block && quoted.starts_with("cuiban ") {
                    check(quoted, false);
                }
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert!(count > 40, "{count}");
}

#[test]
fn what_the_program_says_to_type_can_be_typed() {
    fn walk(folder: &Path, texts: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, texts);
            } else if path.extension().is_some_and(|e| e == "rs" || e == "html") {
                texts.push(std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut texts = Vec::new();
    walk(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut texts,
    );
    let mut faults = Vec::new();
    let mut count = 0;
    for text in &texts {
        for said in text.split("执行 cuiban ").skip(1) {
            let said = said.trim_start_matches("<code>");
            let is_typed = |c: &char| c.is_ascii_lowercase() || matches!(c, ' ' | '-' | '_');
            let typed: String = said.chars().take_while(is_typed).collect();
            let line = format!("cuiban {typed}");
            // A word that a placeholder follows is cut off with it.
            let line = line.trim_end_matches(['-', ' ']);
            count += 1;
            faults.extend(fault(line, false));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert!(count > 15, "{count}");
}
