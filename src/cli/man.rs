//! `man`: the manual page, made from the command line itself, so that it never says anything else
//! than `--help`. For the package; hidden.

use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, Command};

/// As `whatis` reads it: nothing in it but the words.
const NAME: &str = ".SH 名称\ncuiban \\- 按季提醒任务责任人报送进展，并汇总未报情况\n";

/// What stands before the commands, and after them: `# ` begins a section, `- ` a term, which
/// ends at two blanks, four blanks an example, and any other line is a paragraph.
const BEFORE: &str = include_str!("man/before.txt");
const AFTER: &str = include_str!("man/after.txt");

/// The page in roff, for `man`.
pub(super) fn page(mut command: Command) -> String {
    command.build();
    let version = command.get_version().unwrap_or_default();
    let mut page = Page(format!(
        ".TH CUIBAN 1 \"\" \"cuiban {version}\" \"催办\"\n.ad l\n{NAME}"
    ));
    page.prose(BEFORE);
    page.heading("命令");
    page.commands(&command, &mut Vec::new());
    page.heading("通用选项");
    for arg in common(&command) {
        page.argument(arg);
    }
    page.prose(AFTER);
    page.0
}

/// The options that every command has are told once.
fn common(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| !arg.is_hide_set())
}

fn is_common(arg: &Arg) -> bool {
    arg.is_global_set() || matches!(arg.get_id().as_str(), "help" | "version")
}

struct Page(String);

impl Page {
    fn heading(&mut self, text: &str) {
        let _ = writeln!(self.0, ".SH {}", roff(text));
    }

    fn term(&mut self, term: &str, text: &str) {
        let _ = writeln!(self.0, ".TP\n\\fB{}\\fR\n{}", roff(term), roff(text));
    }

    fn prose(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(heading) = line.strip_prefix("# ") {
                self.heading(heading);
            } else if let Some(item) = line.strip_prefix("- ") {
                let (term, text) = item.split_once("  ").unwrap_or((item, ""));
                self.term(term, text);
            } else if let Some(example) = line.strip_prefix("    ") {
                let _ = writeln!(self.0, ".PP\n.nf\n.RS 4\n{}\n.RE\n.fi", roff(example));
            } else {
                let _ = writeln!(self.0, ".PP\n{}", roff(line));
            }
        }
    }

    /// Every command that does something, with its whole name.
    fn commands(&mut self, command: &Command, path: &mut Vec<String>) {
        path.push(command.get_name().to_owned());
        let mut below = command.get_subcommands().peekable();
        if below.peek().is_none() {
            let arguments = || common(command).filter(|arg| !is_common(arg));
            let mut usage = path.join(" ");
            for arg in arguments().filter(|arg| arg.is_positional()) {
                let _ = write!(usage, " {arg}");
            }
            let about = command.get_about().map(StyledStr::to_string);
            self.term(&usage, &about.unwrap_or_default());
            self.0.push_str(".RS\n");
            for arg in arguments() {
                self.argument(arg);
            }
            self.0.push_str(".RE\n");
        }
        for sub in below.filter(|sub| !sub.is_hide_set()) {
            self.commands(sub, path);
        }
        path.pop();
    }

    fn argument(&mut self, arg: &Arg) {
        let short = arg.get_short().map_or(String::new(), |c| format!("-{c}, "));
        let help = arg.get_help().map(StyledStr::to_string);
        self.term(&format!("{short}{arg}"), &help.unwrap_or_default());
    }
}

/// Text as roff takes it: nothing of it is an instruction, and a line may be broken between two
/// Chinese characters, which roff does not do by itself, though not before a closing mark.
fn roff(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    if text.starts_with(['.', '\'']) {
        out.push_str("\\&");
    }
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '\n' => out.push(' '),
            c => out.push(c),
        }
        let closes = |next: &char| "，。；：、！？）》”’,.;:)".contains(*next);
        let opens = "（《“‘".contains(c);
        if !c.is_ascii() && !opens && chars.peek().is_some_and(|next| !closes(next)) {
            out.push_str("\\:");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::{Cli, words};

    #[test]
    fn the_page_names_every_command_and_what_each_takes() {
        let page = page(words::in_chinese(Cli::command()));
        for told in ["cuiban plan import <FILE>", "cuiban status", "\\-\\-accept"] {
            assert!(page.contains(told), "{told}\n{page}");
        }
        assert!(!page.contains("probe"), "hidden commands stay hidden");
        assert_eq!(page.matches("\\-\\-config <FILE>").count(), 1);
    }

    #[test]
    fn text_is_no_instruction_and_may_be_broken_between_characters() {
        assert_eq!(roff(".x\\y"), "\\&.x\\ey");
        assert_eq!(roff("已报，（未报）a-b"), "已\\:报，\\:（未\\:报）\\:a\\-b");
    }
}
