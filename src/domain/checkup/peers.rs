//! The lines on those who are asked over the network: mail server, mailbox, WeCom, our own pages.

use chrono::{Datelike, NaiveDate};

use super::{Line, State};

/// Days before its last one in which a certificate is worth a look: those who renew by themselves do so
/// thirty days before.
const SOON: i64 = 14;

/// A way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// As people call it.
    pub name: String,
    /// The setting that names its server.
    pub key: &'static str,
    /// What came of asking.
    pub tried: Tried,
}

/// What came of asking a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// It let us in; its certificate's last day, where it has one.
    Works(Option<NaiveDate>),
    /// It is set up; it cannot be asked without sending something.
    SetUp,
    /// This name leads to no address.
    Unresolved(String),
    /// Whoever answers under this name cannot be believed.
    Distrusted(String, Distrust),
    /// WeCom takes no calls from here; with the address that it saw, where it said.
    NotListed(Option<String>),
    /// In its own words, masked.
    Failed(String),
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Distrust {
    /// Its last day is past.
    Expired(Option<NaiveDate>),
    /// Its first day is to come.
    NotYet,
    /// It is for these names.
    WrongName(Vec<String>),
    /// Nobody whom this machine trusts has signed it.
    UnknownIssuer,
    /// In the words of the library.
    Other(String),
}

impl Distrust {
    /// What people read, of the certificate shown by `host`.
    #[must_use]
    pub fn chinese(&self, host: &str) -> String {
        match self {
            Self::Expired(None) => format!("{host} 的证书已过期"),
            Self::Expired(Some(day)) => format!("{host} 的证书已于{}到期", long(*day)),
            Self::NotYet => format!("{host} 的证书还没有生效"),
            Self::WrongName(names) if names.is_empty() => format!("证书不是签发给 {host} 的"),
            Self::WrongName(names) => {
                format!("证书不是签发给 {host} 的，而是给 {} 的", names.join("、"))
            }
            Self::UnknownIssuer => {
                format!("{host} 的证书不是本机信任的机构签发的（多为自签名，或单位自建的机构）")
            }
            Self::Other(why) => format!("{host} 的证书无法采信（{why}）"),
        }
    }

    fn next(&self, key: &str) -> String {
        match self {
            Self::Expired(_) => "请对方的管理员更换证书；同时核对本机时间（timedatectl）".into(),
            Self::NotYet => "请核对本机时间（timedatectl）".into(),
            Self::WrongName(_) => format!("请把配置 {key} 写成证书上的名字，或请对方更换证书"),
            Self::UnknownIssuer => {
                "请向对方要签发机构的证书（PEM），存为 /usr/local/share/ca-certificates/名称.crt，\
                执行 update-ca-certificates，再执行 systemctl restart cuiban"
                    .into()
            }
            Self::Other(_) => "请对方的管理员检查证书".into(),
        }
    }
}

/// The owners' pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What links begin with.
    pub url: String,
    /// Whether the config names it.
    pub named: bool,
    /// Whether only this machine can open it.
    pub local: bool,
    /// What came of asking; none where nothing runs that could answer.
    pub answer: Option<Answer>,
}

/// What the page's address answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is this program; its certificate's last day, where it has one.
    Ours(Option<NaiveDate>),
    /// Somebody else answers.
    Other(u16),
    /// The name in it leads to no address, seen from here.
    Unresolved(String),
    /// No browser would open it without a warning.
    Distrusted(String, Distrust),
    /// Nobody answers, seen from here.
    None(String),
}

pub(super) fn way_out(way: &Way, today: NaiveDate) -> Line {
    let name = format!("发送·{}", way.name);
    match &way.tried {
        Tried::Works(until) => well(&name, "连接和登录正常（没有发送消息）", *until, today),
        Tried::SetUp => Line::new(&name, State::Well, "已配置（不试发）", ""),
        tried => ill(
            &name,
            tried,
            way.key,
            "请核对配置中的地址、账号和口令（密钥），以及本机到对方的网络",
        ),
    }
}

pub(super) fn mailbox(tried: Option<&Tried>, today: NaiveDate) -> Line {
    let name = "接收·邮件回复";
    match tried {
        None => Line::new(name, State::Well, "未启用，按需配置（[imap]）", ""),
        Some(Tried::SetUp) => Line::new(name, State::Well, "已配置", ""),
        Some(Tried::Works(until)) => well(name, "收信邮箱可以登录和读取", *until, today),
        Some(tried) => ill(
            name,
            tried,
            "imap.host",
            "请核对 [imap] 的服务器、账号和授权码，并确认邮箱已开通 IMAP",
        ),
    }
}

/// Whether WeCom can call us, as far as the config goes.
pub(super) fn callback(configured: bool, page: &Page) -> Line {
    let name = "接收·企业微信回复";
    let reachable = page.named && !page.local;
    match (configured, reachable) {
        (false, _) => Line::new(
            name,
            State::Well,
            "未启用，按需配置（[wecom.app] 的 callback_token_file 和 callback_aes_key_file）",
            "",
        ),
        (true, true) => Line::new(
            name,
            State::Well,
            format!("已配置，回调地址 {}/wecom/callback", page.url),
            "",
        ),
        (true, false) => Line::new(
            name,
            State::Doubtful,
            "已配置，但企业微信访问不到本机",
            "在配置的 [server] 一节填写企业微信能访问的 public_url，并在管理后台“接收消息”中填写它加 /wecom/callback",
        ),
    }
}

/// Of a peer that let us in, however long its certificate lasts.
fn well(name: &str, text: &str, until: Option<NaiveDate>, today: NaiveDate) -> Line {
    let Some(until) = until else {
        return Line::new(name, State::Well, text, "");
    };
    match (until - today).num_days() {
        days if days > SOON => Line::new(
            name,
            State::Well,
            format!("{text}，证书有效至{}", long(until)),
            "",
        ),
        days => Line::new(
            name,
            State::Doubtful,
            format!("{text}，但证书{}到期（{}）", in_days(days), long(until)),
            "请对方的管理员更换证书：到期后就连接不上了",
        ),
    }
}

fn ill(name: &str, tried: &Tried, key: &str, usual: &str) -> Line {
    let (text, next) = match tried {
        Tried::Works(_) | Tried::SetUp => (String::new(), String::new()),
        Tried::Unresolved(host) => (
            format!("域名 {host} 解析不到地址"),
            format!(
                "请核对配置 {key} 的写法，在服务器上执行 getent hosts {host}；没有结果的，请网络管理员检查 DNS（/etc/resolv.conf）"
            ),
        ),
        Tried::Distrusted(host, why) => (why.chinese(host), why.next(key)),
        Tried::NotListed(seen) => {
            let seen = seen.as_deref();
            let text = seen.map_or(
                "本机的出口 IP 不在应用的“企业可信IP”之列".to_owned(),
                |ip| format!("本机的出口 IP {ip} 不在应用的“企业可信IP”之列"),
            );
            let what = seen.map_or("它".to_owned(), |ip| format!(" {ip}"));
            (
                text,
                format!(
                    "在企业微信管理后台“应用管理”中打开本应用，在“企业可信IP”中添加{what}，约一分钟后生效；出口 IP 会变动的，请经固定 IP 的代理（wecom.proxy）"
                ),
            )
        }
        Tried::Failed(why) => (why.clone(), usual.to_owned()),
    };
    Line::new(name, State::Broken, text, &next)
}

pub(super) fn page(page: &Page, today: NaiveDate) -> Line {
    let name = "接收·填报网页";
    let url = &page.url;
    if page.local {
        let text = match page.named {
            true => format!("{url} 只有本机能打开，消息里的链接别人点不开"),
            false => format!("没有填写 server.public_url，消息里的链接是 {url}，只有本机能打开"),
        };
        let next = "在配置的 [server] 一节填写 public_url，如 \"https://duban.example.gov.cn\"";
        return Line::new(name, State::Doubtful, text, next);
    }
    match &page.answer {
        None => Line::new(
            name,
            State::Doubtful,
            format!("{url}，服务没有运行，未试"),
            "启动服务后再执行一次 cuiban doctor",
        ),
        Some(Answer::Ours(until)) if page.named => ours(name, url, *until, today),
        Some(Answer::Ours(_)) => Line::new(
            name,
            State::Doubtful,
            format!("没有填写 server.public_url，消息里的链接是 {url}"),
            "请确认各单位打得开这个地址；打不开的，请填写 public_url",
        ),
        Some(Answer::Other(status)) => Line::new(
            name,
            State::Broken,
            format!("{url} 有应答，但不是本程序（HTTP {status}）"),
            "请检查反向代理是否转发到 server.listen",
        ),
        Some(Answer::Unresolved(host)) => Line::new(
            name,
            State::Doubtful,
            format!("从本机解析不到域名 {host} 的地址"),
            "请核对 public_url；内外网域名分开的单位，请用手机打开这个地址加 /healthz，显示 ok 即为正常",
        ),
        Some(Answer::Distrusted(host, Distrust::UnknownIssuer)) => Line::new(
            name,
            State::Doubtful,
            Distrust::UnknownIssuer.chinese(host),
            "请换成公认机构签发的证书；用单位自建机构的，请确认各单位的手机和电脑都装了它的根证书，否则打开链接会被拦下",
        ),
        Some(Answer::Distrusted(host, why)) => Line::new(
            name,
            State::Broken,
            format!("{}，浏览器会拦下", why.chinese(host)),
            match why {
                Distrust::NotYet => "请核对本机时间（timedatectl）",
                _ => "请更换反向代理上的证书，再执行 systemctl reload nginx",
            },
        ),
        Some(Answer::None(why)) => Line::new(
            name,
            State::Doubtful,
            format!("从本机打不开 {url}（{why}）"),
            "请用手机打开这个地址加 /healthz，显示 ok 即为正常；打不开的，请检查域名、防火墙和反向代理",
        ),
    }
}

fn ours(name: &str, url: &str, until: Option<NaiveDate>, today: NaiveDate) -> Line {
    let Some(until) = until else {
        return Line::new(name, State::Well, format!("{url} 可以打开"), "");
    };
    let until_day = long(until);
    match (until - today).num_days() {
        days if days > SOON => Line::new(
            name,
            State::Well,
            format!("{url} 可以打开，证书有效至{until_day}"),
            "",
        ),
        days => Line::new(
            name,
            State::Doubtful,
            format!("{url} 可以打开，但证书{}到期（{until_day}）", in_days(days)),
            "请更换反向代理上的证书，再执行 systemctl reload nginx",
        ),
    }
}

fn in_days(days: i64) -> String {
    match days {
        ..=0 => "今天".into(),
        1 => "明天".into(),
        days => format!("{days}天后"),
    }
}

fn long(day: NaiveDate) -> String {
    format!("{}年{}月{}日", day.year(), day.month(), day.day())
}
