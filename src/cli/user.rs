//! `user add`, `user passwd`, `user list`, `user disable`.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::Path;

use anyhow::Context as _;
use clap::Subcommand;

use super::client::{with_client, with_new_client};
use super::{print, say};
use crate::app::answers::UsersAnswer;
use crate::domain::user::Role;
use crate::web::percent;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// 新增用户；密码从标准输入读取一行
    Add {
        /// 用户名
        name: String,
        /// 权限
        #[arg(long, value_parser = ["admin", "coordinator", "viewer"])]
        role: String,
    },
    /// 更换密码；新密码从标准输入读取一行
    Passwd {
        /// 用户名
        name: String,
    },
    /// 列出用户
    List {
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
    /// 停用用户
    Disable {
        /// 用户名
        name: String,
    },
}

pub(super) fn run(config: Option<&Path>, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Add { name, role } => {
            let body = serde_json::json!({
                "name": name, "role": role, "password": read_password()?,
            });
            change(config, "/api/v1/users", &body)?;
            say(&format!("已新增账号“{name}”"));
        }
        Command::Passwd { name } => {
            let body = serde_json::json!({ "password": read_password()? });
            let path = format!("/api/v1/users/{}/password", percent::encoded(&name));
            change(config, &path, &body)?;
            say(&format!("已更换账号“{name}”的密码，原有登录已失效"));
        }
        Command::Disable { name } => {
            let path = format!("/api/v1/users/{}/disable", percent::encoded(&name));
            change(config, &path, &serde_json::json!({}))?;
            say(&format!("已停用账号“{name}”，原有登录已失效"));
        }
        Command::List { json } => list(config, json)?,
    }
    Ok(())
}

fn change(config: Option<&Path>, path: &str, body: &serde_json::Value) -> anyhow::Result<()> {
    let _: serde_json::Value =
        with_new_client(config, async |client| client.post_json(path, body).await)?;
    Ok(())
}

fn list(config: Option<&Path>, json: bool) -> anyhow::Result<()> {
    with_client(config, async |client| {
        if json {
            return print(&client.get("/api/v1/users").await?);
        }
        let UsersAnswer { users } = client.get_json("/api/v1/users").await?;
        if users.is_empty() {
            say("还没有账号，请执行 cuiban user add 用户名 --role coordinator");
        }
        for user in users {
            let role = Role::from_name(&user.role).map_or("", Role::chinese);
            let state = if user.disabled { "（已停用）" } else { "" };
            print(format!("{}\t{role}{state}\n", user.name).as_bytes())?;
        }
        Ok(())
    })
}

/// One line from standard input; at a terminal it is not shown while typed.
fn read_password() -> anyhow::Result<String> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        say("请输入密码（至少10个字符，输入时不显示）：");
        let _quiet = Quiet::start();
        return line();
    }
    line()
}

fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("无法读取密码")?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// Keeps the terminal from echoing, until dropped.
struct Quiet(Option<rustix::termios::Termios>);

impl Quiet {
    fn start() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let stdin = std::io::stdin();
        let Ok(before) = tcgetattr(&stdin) else {
            return Self(None);
        };
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        let _ = tcsetattr(&stdin, OptionalActions::Now, &silent);
        Self(Some(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        if let Some(before) = &self.0 {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}
