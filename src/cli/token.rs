//! `token add`, `token list`, `token revoke`.

use std::path::Path;

use clap::Subcommand;

use super::client::{with_client, with_new_client};
use super::{print, say};
use crate::app::answers::{TokenAnswer, TokensAnswer};
use crate::web::percent;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// 生成令牌，写到标准输出，只显示这一次
    Add {
        /// 使用它的系统
        name: String,
        /// 权限，可写几个
        #[arg(long, required = true, value_delimiter = ',',
            value_parser = ["board:read", "deliveries:read", "reports:write", "export"])]
        scope: Vec<String>,
        /// 只能查看这位责任领导分管的工作
        #[arg(long)]
        leader: Option<String>,
        /// 有效期（天），默认365
        #[arg(long)]
        days: Option<u16>,
    },
    /// 列出令牌
    List {
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
    /// 停用令牌
    Revoke {
        /// 令牌编号，见 token list
        id: String,
    },
}

pub(super) fn run(config: Option<&Path>, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Add {
            name,
            scope,
            leader,
            days,
        } => {
            let body = serde_json::json!({
                "name": name, "scopes": scope, "leader": leader, "days": days,
            });
            let made: TokenAnswer = with_new_client(config, async |client| {
                client.post_json("/api/v1/tokens", &body).await
            })?;
            say(&format!("已为“{name}”生成令牌 {}：", made.id));
            print(format!("{}\n", made.token).as_bytes())
        }
        Command::List { json } => list(config, json),
        Command::Revoke { id } => {
            let path = format!("/api/v1/tokens/{}/revoke", percent::encoded(&id));
            let _: serde_json::Value = with_client(config, async |client| {
                client.post_json(&path, &serde_json::json!({})).await
            })?;
            say(&format!("已停用令牌 {id}"));
            Ok(())
        }
    }
}

fn list(config: Option<&Path>, json: bool) -> anyhow::Result<()> {
    with_client(config, async |client| {
        if json {
            return print(&client.get("/api/v1/tokens").await?);
        }
        let TokensAnswer { tokens } = client.get_json("/api/v1/tokens").await?;
        if tokens.is_empty() {
            say("还没有令牌");
        }
        for token in tokens {
            let state = if token.works { "" } else { "（无效）" };
            let used = token.used.unwrap_or_else(|| "尚未使用".into());
            let scopes = token.scopes.join(",");
            let line = format!(
                "{}\t{}{state}\t{scopes}\t至{}\t{used}\n",
                token.id, token.name, token.expires
            );
            print(line.as_bytes())?;
        }
        Ok(())
    })
}
