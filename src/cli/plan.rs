//! `plan inspect`, `plan import`, `plan show`, `plan list`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;

use super::client::{load_without_secrets, with_client, with_new_client};
use super::{Exit, file_name, print, say};
use crate::app::answers::{ImportAnswer, PlanLine};
use crate::domain::ids::PlanId;
use crate::plan;
use crate::web::percent;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// 检查一份分解表，不入库
    Inspect {
        /// 分解表文件
        file: PathBuf,
        /// 年度；不指定时取自标题
        #[arg(long)]
        year: Option<i32>,
        /// 指明某一列是什么，例如 负责同志=直接责任人；可多次使用
        #[arg(long = "map", value_name = "列名=字段")]
        map: Vec<String>,
        /// 另存一份工作簿，在有问题的单元格上加批注
        #[arg(long, value_name = "文件.xlsx")]
        annotate: Option<PathBuf>,
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
        /// 指明某一列是什么，例如 负责同志=直接责任人；可多次使用
        #[arg(long = "map", value_name = "列名=字段")]
        map: Vec<String>,
        /// 对有“错误”的行，按程序修复后的结果接受
        #[arg(long)]
        accept: bool,
        /// 只看与已导入内容的差异，不入库
        #[arg(long)]
        dry_run: bool,
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
        Command::Inspect {
            file,
            year,
            map,
            annotate,
            json,
        } => inspect(config, &file, year, &map, annotate.as_deref(), json),
        Command::Import {
            file,
            id,
            year,
            map,
            accept,
            dry_run,
            json,
        } => {
            let how = How {
                id,
                year,
                map,
                accept,
                dry_run,
                json,
            };
            import(config, &file, &how)
        }
        Command::Show { id, json } => show(config, id.as_deref(), json),
        Command::List { json } => list(config, json),
    }
}

fn mapping(map: &[String]) -> Result<plan::Mapping, Exit> {
    plan::Mapping::parse(map).map_err(|error| Exit::Usage(error.to_string()))
}

fn inspect(
    config: Option<&Path>,
    file: &Path,
    year: Option<i32>,
    map: &[String],
    annotated: Option<&Path>,
    json: bool,
) -> anyhow::Result<()> {
    let lore = plan::Lore::of(&load_without_secrets(config)?);
    let source = plan::Source {
        file_name: file_name(file),
        year,
        columns: mapping(map)?,
        ..lore.source().map_err(Exit::Usage)?
    };
    let bytes = plan::read_bounded(file)?;
    let reading = plan::read(&bytes, &source)?;
    if json {
        print(&serde_json::to_vec(&plan::wire::Inspection::from(
            &reading,
        ))?)?;
    } else {
        print(plan::show::Shown(&reading, look()).to_string().as_bytes())?;
    }
    if let Some(to) = annotated {
        annotate(file, &bytes, &source, &reading, to)?;
    }
    let errors = plan::errors(&reading.findings).count();
    // The process ends here, and with it what it holds; piece by piece would take a tenth of its time.
    std::mem::forget(reading);
    if errors > 0 {
        anyhow::bail!(Exit::Findings(format!(
            "发现{errors}处错误，请核对上面列出的行"
        )));
    }
    Ok(())
}

/// Writes the copy with comments; never over the table itself.
fn annotate(
    file: &Path,
    bytes: &[u8],
    source: &plan::Source,
    reading: &plan::Reading,
    to: &Path,
) -> anyhow::Result<()> {
    let same = |path: &Path| std::fs::canonicalize(path).ok();
    if same(to).is_some_and(|to| same(file) == Some(to)) {
        anyhow::bail!(Exit::Usage(
            "批注要写到另一个文件，不能覆盖原表：请换一个文件名".into()
        ));
    }
    let (copy, cells) = plan::annotate(bytes, source, &reading.findings)?;
    std::fs::write(to, copy).with_context(|| format!("无法写入“{}”", to.display()))?;
    say(&format!("已在“{}”的{cells}个单元格上加批注", to.display()));
    Ok(())
}

/// Colour and width where stdout is a terminal.
fn look() -> plan::show::Look {
    use std::io::IsTerminal as _;
    let out = std::io::stdout();
    if !out.is_terminal() {
        return plan::show::Look::default();
    }
    let size = rustix::termios::tcgetwinsize(&out).ok();
    plan::show::Look {
        width: size
            .map(|size| usize::from(size.ws_col))
            .filter(|width| *width > 0),
        colour: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    }
}

/// The options of an import.
struct How {
    id: Option<String>,
    year: Option<i32>,
    map: Vec<String>,
    accept: bool,
    dry_run: bool,
    json: bool,
}

fn import(config: Option<&Path>, file: &Path, how: &How) -> anyhow::Result<()> {
    let bytes = plan::read_bounded(file)?;
    let name = file_name(file);
    mapping(&how.map)?;
    let id = how.id.as_deref().map(PlanId::new).transpose();
    let id = id.map_err(|error| Exit::Usage(error.to_string()))?;
    let mut path = format!(
        "/api/v1/plans?name={}&accept={}",
        percent::encoded(&name),
        how.accept
    );
    if let Some(id) = &id {
        path.push_str(&format!("&id={id}"));
    }
    if let Some(year) = how.year {
        path.push_str(&format!("&year={year}"));
    }
    if !how.map.is_empty() {
        path.push_str(&format!("&map={}", percent::encoded(&how.map.join("\n"))));
    }
    let look = format!("{path}&dry_run=true");
    let answer: ImportAnswer = with_new_client(config, async |client| {
        // What is going to change is shown before it is stored.
        let seen: ImportAnswer = client.post_bytes(&look, bytes.clone()).await?;
        if !how.json {
            print(format!("{}\n", seen.text).as_bytes())?;
        }
        if how.dry_run {
            return Ok(seen);
        }
        client.post_bytes(&path, bytes).await
    })?;
    if how.json {
        print(&serde_json::to_vec(&answer).context("无法输出")?)?;
    } else {
        let end = match (how.dry_run, answer.facts) {
            (true, _) => "以上仅供查看，没有入库。",
            (false, 0) => "没有需要入库的改动。",
            (false, _) => "以上内容已入库。",
        };
        print(format!("{end}\n").as_bytes())?;
    }
    if answer.left_out.is_empty() {
        return Ok(());
    }
    let stored = if how.dry_run {
        "不会入库"
    } else {
        "没有入库，其余已入库"
    };
    let rows: Vec<String> = answer
        .left_out
        .iter()
        .map(|no| format!("第{no}项"))
        .collect();
    anyhow::bail!(Exit::Findings(format!(
        "{}有错误，{stored}。请改正表格后重新导入，或加 --accept 按修复后的结果接受",
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
        let path = format!("/api/v1/plans/{}?format={format}", percent::encoded(&id));
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
