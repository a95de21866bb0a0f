//! `contacts template`, `contacts import`, `contacts check`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;

use super::client::with_client;
use super::{Exit, print, say};
use crate::app::answers::{ContactsAnswer, ReadinessAnswer, TestAnswer};
use crate::web::percent;

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
    /// 检查谁还没有可用的联系方式，谁的联系方式不能确定是否有效
    Check {
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
    /// 发测试消息，每个地址一条；不加参数时发给联系方式不能确定是否有效的人
    Test {
        /// 只发给这个人：姓名，重名时写成“单位/姓名”或人员编号
        #[arg(long, conflicts_with = "all")]
        person: Option<String>,
        /// 发给所有人，联系方式已知有效的也发
        #[arg(long)]
        all: bool,
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
        Command::Test { person, all, json } => test(config, person.as_deref(), all, json),
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
    let path = format!("/api/v1/contacts?name={}", percent::encoded(&name));
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

fn test(config: Option<&Path>, person: Option<&str>, all: bool, json: bool) -> anyhow::Result<()> {
    let body = serde_json::json!({ "person": person, "all": all });
    let answer: TestAnswer = with_client(config, async |client| {
        client.post_json("/api/v1/contacts/test", &body).await
    })?;
    if json {
        print(&serde_json::to_vec(&answer)?)
    } else {
        print(format!("{}\n", answer.text).as_bytes())
    }
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
