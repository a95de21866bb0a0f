//! `mail read`: what the program sees in a mail that was saved to a file; nothing is stored.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use super::{Exit, file_name, print};
use crate::app::ours;
use crate::config::Config;
use crate::reply::mail::{self, Mail, MailKind, Ours};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// 查看程序从邮件原文（.eml）里读出的内容，不入库：核对某封回复为何没有登记
    Read {
        /// 邮件原文文件
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// 本系统的邮件地址；不指定则取自配置
        #[arg(long, value_name = "ADDRESS")]
        own: Vec<String>,
        /// 收信服务器在 Authentication-Results 中的名称；不指定则取自配置
        #[arg(long, value_name = "ID")]
        authserv_id: Option<String>,
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(config: Option<&Path>, command: Command) -> anyhow::Result<()> {
    let Command::Read {
        files,
        own,
        authserv_id,
        json,
    } = command;
    let loaded = Config::load_without_secrets(config, std::env::vars());
    let loaded = loaded.map_err(|faults| Exit::Usage(faults.to_string()))?;
    let configured = ours(&loaded.config);
    let ours = Ours {
        addresses: match own.is_empty() {
            true => configured.addresses,
            false => own.iter().map(|address| address.to_lowercase()).collect(),
        },
        authserv_id: authserv_id.or(configured.authserv_id),
    };
    let mut all = serde_json::Map::new();
    for path in &files {
        let bytes = std::fs::read(path).with_context(|| format!("无法读取“{}”", path.display()))?;
        let mail = mail::read(&bytes, &ours);
        match json {
            true => drop(all.insert(file_name(path), told(&mail))),
            false => print(words(&file_name(path), &mail).as_bytes())?,
        }
    }
    if json {
        print(&serde_json::to_vec_pretty(&all)?)?;
        print(b"\n")?;
    }
    Ok(())
}

fn told(mail: &Mail) -> Value {
    let auto = match &mail.kind {
        MailKind::Automatic(kind) => Some(kind.as_str()),
        _ => None,
    };
    let bounce = match &mail.kind {
        MailKind::Bounce(bounce) => bounce.recipients.first().map(|one| {
            json!({
                "recipient": one.address,
                "action": one.action.as_str(),
                "status": one.status,
                "permanent": one.permanent,
                "original_message_id": bounce.original_id,
            })
        }),
        _ => None,
    };
    let files = mail
        .attachments
        .iter()
        .map(|file| json!({"filename": file.name, "type": file.kind, "bytes": file.bytes.len()}));
    json!({
        "from": mail.from,
        "subject": mail.subject,
        "message_id": mail.id,
        "in_reply_to": mail.in_reply_to,
        "references": mail.references,
        "parents": mail.parents,
        "tokens": mail.tokens,
        "new_text": mail.text,
        "is_auto": mail.is_automatic(),
        "auto_kind": auto,
        "is_bounce": matches!(mail.kind, MailKind::Bounce(_)),
        "bounce": bounce,
        "attachments": files.collect::<Vec<_>>(),
        "authenticated": mail.authenticity.as_str(),
    })
}

fn words(name: &str, mail: &Mail) -> String {
    let kind = match &mail.kind {
        MailKind::Answer => "回复",
        MailKind::Empty => "没有新写内容",
        MailKind::Automatic(_) => "自动回复，不作为报送",
        MailKind::Bounce(_) => "退信",
        MailKind::Own => "本系统发出的邮件",
    };
    let files: Vec<&str> = mail
        .attachments
        .iter()
        .map(|file| file.name.as_str())
        .collect();
    format!(
        "{name}\n  性质：{kind}\n  发件人：{}\n  主题：{}\n  附件：{}\n  正文：\n{}\n\n",
        mail.from.as_deref().unwrap_or("无法确定"),
        mail.subject,
        if files.is_empty() {
            "无".to_owned()
        } else {
            files.join("、")
        },
        mail.text,
    )
}
