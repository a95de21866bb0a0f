//! The command line: one file a command.
//!
//! Data goes to stdout, words for people who ran the command to stderr. Exit codes are those of
//! interfaces.md: 0 done, 1 failed, 2 wrong usage or config, 3 done with findings not accepted.

mod backup;
mod bulletin;
mod client;
mod clock;
mod config;
mod contacts;
mod demo;
mod doctor;
#[cfg(test)]
mod documents;
mod export;
mod journal;
mod mail;
mod man;
mod owner;
mod plan;
mod report;
mod serve;
mod simulate;
mod status;
mod token;
mod urge;
mod user;
mod words;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::channel::render::TemplateFaults;
use crate::domain::causes;
use crate::store;

/// The hidden command that takes the first look at a store.
pub(crate) const PROBE: &str = "__probe-store";

/// 催办：读取年度目标任务分解表，按季提醒直接责任人报送进展，并汇总未报情况。
#[derive(Debug, Parser)]
#[command(name = "cuiban", version)]
pub struct Cli {
    /// 配置文件；不指定时读取 /etc/cuiban/cuiban.toml（如有）
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 演示：内置2022年分解表、虚构联系方式、模拟时钟，全流程走一遍
    Demo(demo::Args),
    /// 启动服务
    Serve(serve::Args),
    /// 分解表：检查、导入、查看
    #[command(subcommand)]
    Plan(plan::Command),
    /// 通讯录：模板、导入、检查
    #[command(subcommand)]
    Contacts(contacts::Command),
    /// 预演：列出将要发出的每一条消息，不发送、不入库
    Simulate(simulate::Args),
    /// 报送情况：谁已报、谁未报
    Status(status::Args),
    /// 人工催办
    Urge(urge::Args),
    /// 代为登记报送（责任人来电等）
    Report(report::Args),
    /// 导出带进展情况的分解表（.xlsx）
    Export(export::Args),
    /// 生成督查通报（.docx）
    Bulletin(bulletin::Args),
    /// 看板用户
    #[command(subcommand)]
    User(user::Command),
    /// 其他系统的接口令牌
    #[command(subcommand)]
    Token(token::Command),
    /// 日志：导出、校验
    #[command(subcommand)]
    Journal(journal::Command),
    /// 备份：全部记录、佐证材料和链接密钥写成一个文件，服务不必停
    Backup(backup::Backup),
    /// 恢复：把备份读入空的存储目录，并逐条核对
    Restore(backup::Restore),
    /// 恢复备份之后：从某一时间起重新提醒和发送
    Resume(backup::Resume),
    /// 邮件回复：核对读出的内容
    #[command(subcommand)]
    Mail(mail::Command),
    /// 配置：检查、查看
    #[command(subcommand)]
    Config(config::Command),
    /// 体检：配置、存储、收发渠道、时钟、节假日表、通讯录是否正常，该怎么办
    Doctor(doctor::Args),
    /// 系统时间：时钟跳变后的确认
    #[command(subcommand)]
    Clock(clock::Command),
    /// 生成命令补全脚本
    Completions {
        /// 外壳程序
        shell: clap_complete::Shell,
    },
    /// 生成手册页
    #[command(hide = true)]
    Man,
    /// Opens the store for a command of root's.
    #[command(name = owner::HOST, hide = true)]
    HostStore {
        /// Where to answer.
        socket: PathBuf,
    },
    /// Looks at a store that was not closed in good order (storage.md G4).
    #[command(name = PROBE, hide = true)]
    ProbeStore {
        /// The store's folder.
        path: PathBuf,
    },
}

/// How a command failed, where it is not simply an error.
#[derive(Debug, thiserror::Error)]
pub enum Exit {
    /// Wrong usage or wrong config: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// Done, but there are error findings that were not accepted: exit code 3.
    #[error("{0}")]
    Findings(String),
    /// The store that was looked at is not sound.
    #[error("存储没有通过检查")]
    Probe,
}

/// Runs the command of this process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let parsed = words::in_chinese(Cli::command()).try_get_matches();
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return not_run(&error),
    };
    // One provider for all, before anyone speaks TLS; a second call only finds it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&causes::told(error.as_ref()));
            match error.downcast_ref::<Exit>() {
                Some(Exit::Usage(_)) => ExitCode::from(2),
                Some(Exit::Findings(_)) => ExitCode::from(3),
                Some(Exit::Probe) => ExitCode::from(store::PROBE_FAILED),
                None if error.is::<TemplateFaults>() => ExitCode::from(2),
                None => ExitCode::FAILURE,
            }
        }
    }
}

/// Help that was asked for goes to stdout; a wrong command line is told on stderr, exit code 2.
fn not_run(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind;
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
        }
        _ => say(&words::fault(error)),
    }
    ExitCode::from(2)
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let config = cli.config.as_deref();
    match cli.command {
        Command::Demo(args) => demo::run(&args),
        Command::Serve(args) => serve::run(config, &args),
        Command::Plan(command) => plan::run(config, command),
        Command::Contacts(command) => contacts::run(config, command),
        Command::Simulate(args) => simulate::run(config, &args),
        Command::Status(args) => status::run(config, &args),
        Command::Urge(args) => urge::run(config, &args),
        Command::Report(args) => report::run(config, &args),
        Command::Export(args) => export::run(config, &args),
        Command::Bulletin(args) => bulletin::run(config, &args),
        Command::User(command) => user::run(config, command),
        Command::Token(command) => token::run(config, command),
        Command::Journal(command) => journal::run(config, command),
        Command::Backup(args) => backup::backup(config, args),
        Command::Restore(args) => backup::restore(config, &args),
        Command::Resume(args) => backup::resume(config, &args),
        Command::Mail(command) => mail::run(config, command),
        Command::Config(command) => config::run(config, command),
        Command::Doctor(args) => doctor::run(config, &args),
        Command::Clock(command) => clock::run(config, &command),
        Command::Completions { shell } => {
            let mut command = words::in_chinese(Cli::command());
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "cuiban", &mut script);
            print(&script)
        }
        Command::Man => print(man::page(words::in_chinese(Cli::command())).as_bytes()),
        Command::HostStore { socket } => owner::host(config, &socket),
        Command::ProbeStore { path } => probe(&path),
    }
}

/// Looks at a store for the daemon that started this process.
fn probe(path: &Path) -> anyhow::Result<()> {
    store::probe(path).map_err(|error| {
        say(&causes::told(&error));
        Exit::Probe.into()
    })
}

/// A path's last part, for messages and as a proposal for an id.
fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Data, to stdout. A reader that went away early (`| head`) is no failure.
fn print(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Into::into),
    }
}

/// Words for the person at the terminal, to stderr.
fn say(words: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{words}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        words::in_chinese(Cli::command()).debug_assert();
    }
}
