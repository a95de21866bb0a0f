//! `user add`, `change`, `passwd`, `list`, `disable`, `enable`, `totp-reset`.

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
        #[command(flatten)]
        profile: Profile,
        /// 不设密码，只通过统一身份认证登录
        #[arg(long)]
        no_password: bool,
    },
    /// 更改权限；原有登录失效
    Change {
        /// 用户名
        name: String,
        #[command(flatten)]
        profile: Profile,
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
    /// 恢复停用的用户
    Enable {
        /// 用户名
        name: String,
    },
    /// 清除验证器（手机丢失时）；原有登录失效
    TotpReset {
        /// 用户名
        name: String,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Profile {
    /// 权限
    #[arg(long, value_parser = ["admin", "coordinator", "viewer"])]
    role: String,
    /// 只能查看这位责任领导分管的工作（只读用户）
    #[arg(long)]
    leader: Option<String>,
    /// 统一身份认证标识（sub）
    #[arg(long)]
    oidc_sub: Option<String>,
}

pub(super) fn run(config: Option<&Path>, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Add {
            name,
            profile,
            no_password,
        } => {
            let password = match no_password {
                true => None,
                false => Some(read_password()?),
            };
            let body = serde_json::json!({
                "name": name, "role": profile.role, "leader": profile.leader,
                "subject": profile.oidc_sub, "password": password,
            });
            change(config, "/api/v1/users", &body)?;
            say(&format!("已新增账号“{name}”"));
        }
        Command::Change { name, profile } => {
            let body = serde_json::json!({
                "role": profile.role, "leader": profile.leader, "subject": profile.oidc_sub,
            });
            change(config, &of_user(&name, "profile"), &body)?;
            say(&format!("已更改账号“{name}”的权限，原有登录已失效"));
        }
        Command::Passwd { name } => {
            let body = serde_json::json!({ "password": read_password()? });
            change(config, &of_user(&name, "password"), &body)?;
            say(&format!("已更换账号“{name}”的密码，原有登录已失效"));
        }
        Command::Disable { name } => {
            change(config, &of_user(&name, "disable"), &serde_json::json!({}))?;
            say(&format!("已停用账号“{name}”，原有登录已失效"));
        }
        Command::Enable { name } => {
            change(config, &of_user(&name, "enable"), &serde_json::json!({}))?;
            say(&format!("已恢复账号“{name}”"));
        }
        Command::TotpReset { name } => {
            let path = of_user(&name, "totp-reset");
            change(config, &path, &serde_json::json!({}))?;
            say(&format!("已清除账号“{name}”的验证器，原有登录已失效"));
        }
        Command::List { json } => list(config, json)?,
    }
    Ok(())
}

fn of_user(name: &str, what: &str) -> String {
    format!("/api/v1/users/{}/{what}", percent::encoded(name))
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
            let leader = user.leader.as_ref();
            let leader = leader.map_or(String::new(), |name| format!("（限责任领导{name}）"));
            let second = if user.second_factor {
                "，验证器"
            } else {
                ""
            };
            let state = if user.disabled { "（已停用）" } else { "" };
            let line = format!("{}\t{role}{leader}{second}{state}\n", user.name);
            print(line.as_bytes())?;
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
