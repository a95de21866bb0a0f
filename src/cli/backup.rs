//! `backup`, `restore`, `resume`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, Utc};

use super::client::{Client, load_without_secrets, with_client, with_daemon_or};
use super::print;
use crate::app::answers::ResumeAnswer;
use crate::clock::Clock;
use crate::config::backup::is_recipient;
use crate::store::backup::Content;
use crate::store::{self, StoreError, backup, backup_file};
use crate::web::format::long_moment;

#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    /// 备份写到哪个文件
    file: PathBuf,
    /// 加密：只有这把 age 公钥的主人能打开，可写多次
    #[arg(long, value_name = "AGE公钥", value_parser = recipient)]
    recipient: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// 备份文件
    file: PathBuf,
    /// 备份是加密的：age 私钥文件
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// 存储目录里已有数据时，移到旁边保留，换成备份里的
    #[arg(long)]
    replace: bool,
    /// 只核对备份是否完好，不恢复
    #[arg(long, conflicts_with = "replace")]
    check: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Resume {
    /// 原服务最后运行到的时间，例如 2022-03-31T16:30:00+08:00：此前应发的消息视为已发
    #[arg(long, value_name = "TIME", value_parser = instant)]
    not_before: DateTime<Utc>,
}

/// Writes all of the store into a file, beside the running daemon or without one.
pub(super) fn backup(config: Option<&Path>, args: Backup) -> anyhow::Result<()> {
    let Backup { file, recipient } = args;
    let content = with_daemon_or(
        config,
        {
            let (file, recipient) = (file.clone(), recipient.clone());
            async move |client| streamed(client, file, recipient).await
        },
        |config| {
            let folder = &config.store.path;
            let made_at = Clock::System.now();
            Ok(backup_file::keep(&file, &recipient, |to| {
                backup::write(folder, made_at, |to| store::dump(folder, to), to)
            })?)
        },
    )?;
    print(format!("备份完成并已核对：{}\n", told(config, &content)?).as_bytes())
}

async fn streamed(
    client: &Client,
    file: PathBuf,
    recipients: Vec<String>,
) -> anyhow::Result<Content> {
    let (to, mut pieces) = tokio::sync::mpsc::channel(16);
    let written = tokio::task::spawn_blocking(move || {
        backup_file::keep(&file, &recipients, |to| {
            while let Some(piece) = pieces.blocking_recv() {
                let piece: axum::body::Bytes = piece;
                to.write_all(&piece).map_err(store::unwritten)?;
            }
            Ok(())
        })
    });
    let read = client.stream("/api/v1/backup", to).await;
    let written = written.await.context("备份没有写完")?;
    // What the disk says comes before what the daemon says of a reader that went away.
    match (written, read) {
        (Ok(content), Ok(())) => Ok(content),
        (Err(error @ (StoreError::Io { .. } | StoreError::Refused(_))), _) => Err(error.into()),
        (_, Err(error)) => Err(error),
        (Err(error), Ok(())) => Err(error.into()),
    }
}

/// Reads a backup into the store's folder; no daemon may run.
pub(super) fn restore(config: Option<&Path>, args: &Restore) -> anyhow::Result<()> {
    let mut from = backup_file::open(&args.file, args.identity.as_deref())?;
    if args.check {
        let content = backup::read(&mut from, &mut backup::CheckOnly)?;
        return print(format!("备份完好：{}\n", told(config, &content)?).as_bytes());
    }
    let settings = load_without_secrets(config)?;
    let opener = crate::app::opener(&settings.store.path)?;
    let done =
        store::restore(&opener, &mut from, args.replace, Clock::System.now()).map_err(|error| {
            match error {
                StoreError::InUse(folder) => anyhow::anyhow!(
                    "存储目录“{}”正在使用：请先停止服务（systemctl stop cuiban），再恢复",
                    folder.display()
                ),
                other => other.into(),
            }
        })?;
    let aside = done.put_aside.map_or(String::new(), |folder| {
        format!("原数据移到了“{}”，确认无误后可删除\n", folder.display())
    });
    let content = told(config, &done.content)?;
    print(
        format!(
            "已恢复并核对：{content}\n{aside}启动服务后暂不提醒、不发送，以免重发备份之后已发过的消息。\
             请确认原服务最后运行到什么时候，再执行：\ncuiban resume --not-before 时间\n"
        )
        .as_bytes(),
    )
}

/// Lets reminders go on after a restore.
pub(super) fn resume(config: Option<&Path>, args: &Resume) -> anyhow::Result<()> {
    let answer: ResumeAnswer = with_client(config, async |client| {
        let body = serde_json::json!({ "not_before": args.not_before.to_rfc3339() });
        client.post_json("/api/v1/resume", &body).await
    })?;
    print(format!("{}\n", answer.text).as_bytes())
}

/// `2022年3月31日 02:30的备份，共1250条记录、3个文件，4.2MB`.
fn told(config: Option<&Path>, content: &Content) -> anyhow::Result<String> {
    let calendar = load_without_secrets(config)?.time.calendar;
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let size = content.bytes as f64 / f64::from(1 << 20);
    Ok(format!(
        "{}的备份，共{}条记录、{}个文件，{size:.1}MB",
        long_moment(&calendar, content.made_at),
        content.facts,
        content.files,
    ))
}

fn recipient(text: &str) -> Result<String, String> {
    match is_recipient(text) {
        true => Ok(text.to_owned()),
        false => Err("请填写 age 公钥，如 age1…".into()),
    }
}

fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.to_utc())
        .map_err(|_| "请写成 2022-03-31T16:30:00+08:00 的形式".into())
}
