//! clap's own words in Chinese: headings of the help, and what is wrong with a command line.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, Error};

const HELP: &str = "{about-with-newline}\n用法：{usage}\n\n{all-args}";

/// The same command line with headings and standard options in Chinese, all the way down.
pub(super) fn in_chinese(command: Command) -> Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    let is_root = command.get_version().is_some();
    let mut command = command
        .help_template(HELP)
        .subcommand_help_heading("命令")
        .subcommand_value_name("命令")
        .disable_help_subcommand(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .mut_args(in_words)
        .arg(standard("help", 'h', ArgAction::Help, "显示帮助"));
    if is_root {
        command = command.arg(standard("version", 'V', ArgAction::Version, "显示版本"));
    }
    for name in names {
        command = command.mut_subcommand(name, in_chinese);
    }
    command
}

fn standard(name: &'static str, short: char, action: ArgAction, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .short(short)
        .action(action)
        .help(help)
        .help_heading("选项")
}

/// An argument under its heading, with its values and its default said in the help.
fn in_words(arg: Arg) -> Arg {
    let heading = if arg.is_positional() {
        "参数"
    } else {
        "选项"
    };
    let arg = arg.help_heading(heading);
    if !arg.get_action().takes_values() {
        return arg;
    }
    let mut help = arg.get_help().map(StyledStr::to_string).unwrap_or_default();
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    if !values.is_empty() {
        help.push_str(&format!("：{}", values.join("、")));
    }
    if let [default] = arg.get_default_values() {
        help.push_str(&format!("；不指定时为 {}", default.to_string_lossy()));
    }
    arg.help(help)
        .hide_possible_values(true)
        .hide_default_value(true)
}

/// What is wrong with the command line, and where its help is.
pub(super) fn fault(error: &Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join("、"),
        _ => String::new(),
    };
    let what = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            format!("没有“{}”这个命令", text(ContextKind::InvalidSubcommand))
        }
        ErrorKind::UnknownArgument => {
            format!("没有“{}”这个参数", text(ContextKind::InvalidArg))
        }
        ErrorKind::MissingRequiredArgument => {
            format!("缺少参数：{}", text(ContextKind::InvalidArg))
        }
        ErrorKind::ArgumentConflict => format!(
            "“{}”不能与“{}”一起使用，也不能写两次",
            text(ContextKind::InvalidArg),
            text(ContextKind::PriorArg)
        ),
        ErrorKind::InvalidValue if text(ContextKind::InvalidValue).is_empty() => {
            format!("{} 后面缺少值", text(ContextKind::InvalidArg))
        }
        ErrorKind::InvalidValue => format!(
            "{} 不能是“{}”，可用的值：{}",
            text(ContextKind::InvalidArg),
            text(ContextKind::InvalidValue),
            text(ContextKind::ValidValue)
        ),
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map(ToString::to_string);
            format!(
                "{} 不能是“{}”：{}",
                text(ContextKind::InvalidArg),
                text(ContextKind::InvalidValue),
                why.unwrap_or_else(|| "无法识别".into())
            )
        }
        // Rare; clap's own words are better than none.
        _ => return error.to_string().trim_end().to_owned(),
    };
    format!("{what}。加 --help 可查看用法")
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, FromArgMatches as _};

    use super::*;
    use crate::cli::Cli;

    /// What a wrong command line is told.
    fn told(args: &[&str]) -> String {
        let args = std::iter::once(&"cuiban").chain(args);
        let parsed = in_chinese(Cli::command()).try_get_matches_from(args);
        match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
            Ok(_) => "对".into(),
            Err(error) => fault(&error),
        }
    }

    #[test]
    fn a_wrong_command_line_is_told_in_the_readers_language() {
        let rows: [(&[&str], &str); 8] = [
            (&["foo"], "没有“foo”这个命令"),
            (&["status", "--foo"], "没有“--foo”这个参数"),
            (&["plan", "inspect"], "缺少参数：<FILE>"),
            (&["serve", "--speed", "3"], "缺少参数：--clock <CLOCK>"),
            (&["status", "--unit"], "--unit <UNIT> 后面缺少值"),
            (
                &["user", "add", "x", "--role", "y"],
                "--role <ROLE> 不能是“y”，可用的值：admin、coordinator、viewer",
            ),
            (
                &["serve", "--clock", "y"],
                "--clock <CLOCK> 不能是“y”：请写成 2022-03-16T16:00:00+08:00 的形式",
            ),
            (
                &["status", "--unit", "a", "--unit", "b"],
                "“--unit <UNIT>”不能与“--unit <UNIT>”一起使用，也不能写两次",
            ),
        ];
        for (args, wanted) in rows {
            assert_eq!(told(args), format!("{wanted}。加 --help 可查看用法"));
        }
        assert_eq!(told(&["plan", "import", "a.txt", "--accept"]), "对");
    }
}
