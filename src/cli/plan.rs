//! `plan inspect`, `plan import`, `plan show`, `plan list`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;

use super::client::{encode, load_without_secrets, with_client, with_new_client};
use super::{Exit, file_name, print, say};
use crate::app::answers::{ImportAnswer, PlanLine};
use crate::config::{Config, units};
use crate::domain::ids::PlanId;
use crate::plan;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// 检查一份分解表，不入库
    Inspect {
        /// 分解表文件
        file: PathBuf,
        /// 年度；不指定时取自标题
        #[arg(long)]
        year: Option<i32>,
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
    /// 导入一份分解表
    Import {
        /// 分解表文件
        file: PathBuf,
        /// 编号，例如 dongguan-2022；不指定时取自文件名
        #[arg(long)]
        id: Option<String>,
        /// 年度；不指定时取自标题
        #[arg(long)]
        year: Option<i32>,
        /// 对有“错误”的行，按程序修复后的结果接受
        #[arg(long)]
        accept: bool,
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
    /// 查看已导入的分解表
    Show {
        /// 编号；只有一份时可不写
        id: Option<String>,
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
    /// 列出已导入的分解表
    List {
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(config: Option<&Path>, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Inspect { file, year, json } => inspect(config, &file, year, json),
        Command::Import {
            file,
            id,
            year,
            accept,
            json,
        } => import(config, &file, id.as_deref(), year, accept, json),
        Command::Show { id, json } => show(config, id.as_deref(), json),
        Command::List { json } => list(config, json),
    }
}

fn inspect(
    config: Option<&Path>,
    file: &Path,
    year: Option<i32>,
    json: bool,
) -> anyhow::Result<()> {
    let source = plan::Source {
        file_name: file_name(file),
        year,
        id: None,
        almanac: load_without_secrets(config)?.time.almanac,
    };
    let config = Config::load_without_secrets(config, std::env::vars())
        .map_err(|faults| Exit::Usage(faults.to_string()))?
        .config;
    let names = units::names(&config.office.units).unwrap_or_default();
    let reading = plan::read_with(&plan::read_bounded(file)?, &source, &names)?;
    if json {
        print(&serde_json::to_vec(&plan::wire::Inspection::from(
            &reading,
        ))?)?;
    } else {
        print(plan::show::Inspected(&reading).to_string().as_bytes())?;
    }
    let errors = plan::errors(&reading.findings).count();
    if errors > 0 {
        anyhow::bail!(Exit::Findings(format!(
            "发现{errors}处错误，请核对上面列出的行"
        )));
    }
    Ok(())
}

fn import(
    config: Option<&Path>,
    file: &Path,
    id: Option<&str>,
    year: Option<i32>,
    accept: bool,
    json: bool,
) -> anyhow::Result<()> {
    let bytes = plan::read_bounded(file)?;
    let name = file_name(file);
    let id = id
        .map(PlanId::new)
        .transpose()
        .map_err(|error| Exit::Usage(error.to_string()))?;
    let mut path = format!("/api/v1/plans?name={}&accept={accept}", encode(&name));
    if let Some(id) = &id {
        path.push_str(&format!("&id={id}"));
    }
    if let Some(year) = year {
        path.push_str(&format!("&year={year}"));
    }
    let answer: ImportAnswer =
        with_new_client(config, async |client| client.post_bytes(&path, bytes).await)?;
    if json {
        print(&serde_json::to_vec(&answer).context("无法输出")?)?;
    } else {
        print(format!("{}\n", answer.text).as_bytes())?;
    }
    if answer.left_out.is_empty() {
        return Ok(());
    }
    let rows: Vec<String> = answer
        .left_out
        .iter()
        .map(|no| format!("第{no}项"))
        .collect();
    anyhow::bail!(Exit::Findings(format!(
        "{}有错误，没有入库，其余已入库。请改正表格后重新导入，或加 --accept 按修复后的结果接受",
        rows.join("、")
    )))
}

fn show(config: Option<&Path>, id: Option<&str>, json: bool) -> anyhow::Result<()> {
    let format = if json { "json" } else { "text" };
    with_client(config, async |client| {
        let id = match id {
            Some(id) => id.to_owned(),
            None => only_plan(client).await?,
        };
        let path = format!("/api/v1/plans/{}?format={format}", encode(&id));
        print(&client.get(&path).await?)
    })
}

async fn only_plan(client: &super::client::Client) -> anyhow::Result<String> {
    let plans: Vec<PlanLine> = client.get_json("/api/v1/plans").await?;
    match plans.as_slice() {
        [one] => Ok(one.id.clone()),
        [] => anyhow::bail!("还没有导入分解表，请先执行 cuiban plan import 文件"),
        _ => anyhow::bail!(Exit::Usage("有多份分解表，请写明编号".into())),
    }
}

fn list(config: Option<&Path>, json: bool) -> anyhow::Result<()> {
    with_client(config, async |client| {
        if json {
            return print(&client.get("/api/v1/plans").await?);
        }
        let plans: Vec<PlanLine> = client.get_json("/api/v1/plans").await?;
        if plans.is_empty() {
            say("还没有导入分解表");
        }
        for plan in plans {
            let line = format!(
                "{}\t{}\t{}项任务\t{}导入\n",
                plan.id, plan.title, plan.tasks, plan.imported_at
            );
            print(line.as_bytes())?;
        }
        Ok(())
    })
}
