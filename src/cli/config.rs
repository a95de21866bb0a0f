//! `config check`, `config show`.

use std::path::Path;

use clap::Subcommand;

use super::{Exit, print, say};
use crate::config::{Config, show::Show};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// 检查配置，列出所有问题
    Check,
    /// 显示生效的配置及其来源；密码、密钥以星号代替
    Show,
}

pub(super) fn run(config: Option<&Path>, command: Command) -> anyhow::Result<()> {
    let loaded = Config::load(config, std::env::vars())
        .map_err(|faults| Exit::Usage(faults.to_string()))?;
    for warning in &loaded.warnings {
        say(&format!("注意：{warning}"));
    }
    match command {
        Command::Check => print("配置没有问题\n".as_bytes()),
        Command::Show => print(Show(&loaded).to_string().as_bytes()),
    }
}
