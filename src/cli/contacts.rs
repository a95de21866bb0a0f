//! `contacts template`, `contacts import`, `contacts check`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;

use super::client::{encode, with_client};
use super::{Exit, print, say};
use crate::app::answers::{ContactsAnswer, ReadinessAnswer};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// 生成通讯录模板，已填好分解表中每个人的姓名和单位
    Template {
        /// 写入的文件，按扩展名为 .xlsx 或 .csv；不指定时以 CSV 输出到屏幕
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
    /// 导入填好的通讯录（.xlsx 或 .csv）
    Import {
        /// 通讯录文件
        file: PathBuf,
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
    /// 检查谁还没有可用的联系方式
    Check {
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(config: Option<&Path>, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Template { output } => template(config, output.as_deref()),
        Command::Import { file, json } => import(config, &file, json),
        Command::Check { json } => check(config, json),
    }
}

fn template(config: Option<&Path>, output: Option<&Path>) -> anyhow::Result<()> {
    let format = match output.and_then(Path::extension).and_then(|e| e.to_str()) {
        Some("xlsx") => "xlsx",
        Some("csv") => "csv",
        None if output.is_none() => "csv",
        _ => anyhow::bail!(Exit::Usage("模板文件请以 .xlsx 或 .csv 结尾".into())),
    };
    with_client(config, async |client| {
        let path = format!("/api/v1/contacts/template?format={format}");
        let bytes = client.get(&path).await?;
        let Some(output) = output else {
            return print(&bytes);
        };
        std::fs::write(output, &bytes)
            .with_context(|| format!("无法写入“{}”", output.display()))?;
        say(&format!("已写入“{}”", output.display()));
        Ok(())
    })
}

fn import(config: Option<&Path>, file: &Path, json: bool) -> anyhow::Result<()> {
    let bytes = crate::plan::read_bounded(file)?;
    let name = super::file_name(file);
    let path = format!("/api/v1/contacts?name={}", encode(&name));
    let answer: ContactsAnswer =
        with_client(config, async |client| client.post_bytes(&path, bytes).await)?;
    if json {
        print(&serde_json::to_vec(&answer)?)?;
    } else {
        print(format!("{}\n", answer.text).as_bytes())?;
    }
    if answer.faults > 0 {
        anyhow::bail!(Exit::Findings(format!(
            "有{}处未能导入，其余已入库；请改正后重新导入",
            answer.faults
        )));
    }
    Ok(())
}

fn check(config: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let answer: ReadinessAnswer = with_client(config, async |client| {
        client.get_json("/api/v1/contacts/check").await
    })?;
    if json {
        print(&serde_json::to_vec(&answer)?)
    } else {
        print(format!("{}\n", answer.text).as_bytes())
    }
}
