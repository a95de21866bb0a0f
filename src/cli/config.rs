//! `config check`, `config show`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;

use super::{Exit, print};
use crate::channel::render::Templates;
use crate::config::{Check, Config, Show};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// 检查配置和消息模板，列出所有问题
    Check,
    /// 显示生效的配置及其来源；密码、密钥以星号代替
    Show {
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
    /// 把程序自带的消息模板和写法说明写到一个文件夹里，供照着改
    Templates {
        /// 文件夹；应为空的或还不存在
        folder: PathBuf,
    },
}

pub(super) fn run(config: Option<&Path>, command: Command) -> anyhow::Result<()> {
    if let Command::Templates { folder } = &command {
        return write_templates(folder);
    }
    let loaded = Config::load_readable(config, std::env::vars())
        .map_err(|faults| Exit::Usage(faults.to_string()))?;
    match command {
        Command::Check => {
            let words = templates(&loaded.config)?;
            print(format!("{}{words}", Check(&loaded)).as_bytes())
        }
        Command::Show { json: false } => print(Show(&loaded).to_string().as_bytes()),
        Command::Templates { .. } => Ok(()),
        Command::Show { json: true } => print(&serde_json::to_vec_pretty(&Show(&loaded).json())?),
    }
}

/// Never over files that somebody has changed already.
fn write_templates(folder: &Path) -> anyhow::Result<()> {
    let empty = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => true,
    };
    anyhow::ensure!(
        empty,
        "文件夹“{}”里已有文件，为免覆盖，请换一个空的文件夹",
        folder.display()
    );
    for (name, text) in Templates::to_begin_with() {
        let path = folder.join(name);
        let place = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(place)
            .and_then(|()| std::fs::write(&path, text))
            .with_context(|| format!("无法写入“{}”", path.display()))?;
    }
    print(format!("已写到 {}\n", folder.display()).as_bytes())
}

/// What there is to say of the office's own templates.
///
/// # Errors
/// Every fault, each with its file and line.
fn templates(config: &Config) -> anyhow::Result<String> {
    let Some(folder) = &config.templates.path else {
        return Ok("消息模板：程序自带\n".to_owned());
    };
    let (templates, warnings) = Templates::load(folder, &config.policy.ladder)?;
    let mut words = format!(
        "消息模板：{}（{}个文件）\n",
        folder.display(),
        templates.own().len()
    );
    for warning in warnings {
        words.push_str(&format!("  注意 {warning}\n"));
    }
    Ok(words)
}
