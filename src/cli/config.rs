//! `config check`, `config show`.

use std::path::Path;

use clap::Subcommand;

use super::{Exit, print};
use crate::config::{Check, Config, Show};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// 检查配置，列出所有问题
    Check,
    /// 显示生效的配置及其来源；密码、密钥以星号代替
    Show {
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(config: Option<&Path>, command: Command) -> anyhow::Result<()> {
    let loaded =
        Config::load(config, std::env::vars()).map_err(|faults| Exit::Usage(faults.to_string()))?;
    match command {
        Command::Check => print(Check(&loaded).to_string().as_bytes()),
        Command::Show { json: false } => print(Show(&loaded).to_string().as_bytes()),
        Command::Show { json: true } => print(&serde_json::to_vec_pretty(&Show(&loaded).json())?),
    }
}
