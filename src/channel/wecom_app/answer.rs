//! What the platform's answers mean for an application (wecom.md, section 6). HTTP 200 is not
//! success, and errcode 0 is not yet delivery: the accounts it does not know stand beside it.

use chrono::TimeDelta;
use serde::Deserialize;

use crate::channel::wecom_http::without_hint;
use crate::channel::{Attempted, Learned, Settled};
use crate::domain::checkup::Tried;
use crate::domain::delivery::{FailReason, Next, SendOutcome};

/// An answer with an errcode.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Answer {
    errcode: i64,
    #[serde(default)]
    errmsg: String,
    #[serde(default)]
    invaliduser: Accounts,
    #[serde(default)]
    unlicenseduser: Accounts,
    #[serde(default)]
    msgid: Option<String>,
    #[serde(default)]
    response_code: Option<String>,
    #[serde(default)]
    userid: Option<String>,
}

/// Accounts joined by `|`; a list where a card is changed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(untagged)]
enum Accounts {
    Joined(String),
    Listed(Vec<String>),
    #[default]
    None,
}

/// Why there is no answer to judge by its errcode alone.
#[derive(Debug, Clone)]
pub(super) enum Said {
    /// The token was not given.
    Code(Box<Answer>),
    /// The platform would not say whose account it is.
    NotTold(Box<Answer>),
    /// Nobody is there; nothing was sent.
    Unreachable { detail: String },
    /// The connection broke.
    Broken { detail: String, sent: bool },
    /// Not what the platform answers.
    NoAnswer { status: u16, sent: bool },
    /// The address or the proxy is not the platform.
    Refused { status: u16 },
    /// The address cannot be one.
    BadUrl,
}

/// Until somebody mends it; a look twice a day whether somebody has. Asking with a wrong secret
/// more often would have the platform lock us out.
const MENDED_BY_HAND: TimeDelta = TimeDelta::hours(12);
/// What is mended on the platform's side takes effect by itself.
const MENDED_THERE: TimeDelta = TimeDelta::hours(1);
const OVER_RATE: TimeDelta = TimeDelta::seconds(65);
const BUSY_TRIES: u32 = 3;

/// Judges the answer to a message to `user`.
pub(super) fn sent(answer: &Answer, user: &str, nth: u32) -> Attempted {
    if answer.errcode != 0 {
        return by_errcode(answer, nth);
    }
    let next = Next::NextChannel;
    if answer.invaliduser.hold(user) {
        let detail = "企业微信通讯录里没有这个账号，或不在应用的可见范围内（invaliduser）";
        return Attempted::failed(FailReason::BadAddress, next, detail);
    }
    if answer.unlicenseduser.hold(user) {
        let detail = "这个账号没有接口许可，消息没有送达（unlicenseduser）";
        return Attempted::failed(FailReason::BadAddress, next, detail);
    }
    if answer.errmsg.contains("wrong json format") {
        tracing::warn!(
            channel = "wecom_app",
            "the platform took a message but not all of its JSON: a defect of ours"
        );
    }
    let msgid = answer.msgid.as_deref().unwrap_or_default();
    let code = answer.response_code.clone().filter(|code| !code.is_empty());
    Attempted::sent(&format!("0 ok {msgid}")).having_learned(code.map(Learned::Card))
}

/// Judges the answer to a question about the application itself.
pub(super) fn tried(answer: &Answer) -> Tried {
    match answer.errcode {
        60020 => Tried::NotListed(seen_from(&answer.errmsg).map(str::to_owned)),
        40001 | 40013 | 40014 | 40056 | 40091 | 42001 | 50003 | 301_002 => {
            Said::Code(Box::new(answer.clone())).tried()
        }
        // Let in; whether it may ask just this has nothing to do with sending.
        _ => Tried::Works(None),
    }
}

/// The account that was asked for; none where the platform knows nobody.
pub(super) fn account(answer: Answer) -> Result<Option<String>, Said> {
    match answer.errcode {
        0 => Ok(answer.userid.filter(|user| !user.is_empty())),
        // Unknown or not to be seen; a number it does not take for one is nobody's either.
        46004 | 40003 | 60111 | 60103 | 40058 => Ok(None),
        _ => Err(Said::NotTold(Box::new(answer))),
    }
}

/// Judges the answer to a change of a card.
pub(super) fn settled(answer: &Answer) -> Settled {
    match answer.errcode {
        0 => Settled::Done,
        -1 | 6000 | 45009 | 45033 | 40014 | 42001 => Settled::Later,
        _ => Settled::Failed(answer.words()),
    }
}

impl Answer {
    pub(super) fn of_code(errcode: i64, errmsg: String) -> Self {
        Self {
            errcode,
            errmsg,
            invaliduser: Accounts::None,
            unlicenseduser: Accounts::None,
            msgid: None,
            response_code: None,
            userid: None,
        }
    }

    /// Never known, or ended, also before its time.
    pub(super) fn wants_a_new_token(&self) -> bool {
        matches!(self.errcode, 40014 | 42001)
    }

    fn words(&self) -> String {
        format!("{} {}", self.errcode, without_hint(&self.errmsg))
    }
}

impl Accounts {
    fn hold(&self, user: &str) -> bool {
        match self {
            Self::Joined(joined) => joined.split('|').any(|one| one.eq_ignore_ascii_case(user)),
            Self::Listed(list) => list.iter().any(|one| one.eq_ignore_ascii_case(user)),
            Self::None => false,
        }
    }
}

impl Said {
    /// What it means where the message itself was in the call.
    pub(super) fn after_sending(self, nth: u32) -> Attempted {
        match self {
            Self::Broken { detail, sent: true } => {
                Attempted::in_doubt(&format!("请求已发出，未收到企业微信应答：{detail}"))
            }
            Self::NoAnswer { status, sent: true } => Attempted::in_doubt(&format!(
                "企业微信的应答不是规定的格式（HTTP {status}），不能确定是否已送达"
            )),
            other => other.without_delivery(nth),
        }
    }

    /// Why nothing can be asked.
    pub(super) fn tried(self) -> Tried {
        if let Self::Code(answer) = &self
            && answer.errcode == 60020
        {
            return Tried::NotListed(seen_from(&answer.errmsg).map(str::to_owned));
        }
        match self.without_delivery(1).outcome {
            SendOutcome::Failed(failure) => Tried::Failed(failure.detail),
            SendOutcome::InDoubt { detail } => Tried::Failed(detail),
            SendOutcome::Sent { .. } => Tried::Works(None),
        }
    }

    /// What it means where nothing can have been delivered.
    pub(super) fn without_delivery(self, nth: u32) -> Attempted {
        let again = Next::Again { after: None };
        let rest = TimeDelta::seconds(30);
        match self {
            Self::Code(answer) => by_errcode(&answer, nth),
            Self::NotTold(answer) => not_told(&answer, nth),
            Self::Unreachable { detail } | Self::Broken { detail, .. } => {
                let detail = format!("连接不上企业微信：{detail}");
                Attempted::failed(FailReason::Unreachable, again, &detail).resting(rest)
            }
            Self::NoAnswer { status, .. } => {
                let detail = format!("企业微信的应答无法识别（HTTP {status}）");
                Attempted::failed(FailReason::UnreadableAnswer, again, &detail).resting(rest)
            }
            Self::Refused { status } => stop(
                &format!(
                    "企业微信接口地址应答 HTTP {status}，请检查 wecom.base_url 和 wecom.proxy"
                ),
                MENDED_BY_HAND,
            ),
            Self::BadUrl => stop(
                "企业微信接口地址有误，请检查 wecom.base_url",
                MENDED_BY_HAND,
            ),
        }
    }

    /// What it means for a change of a card.
    pub(super) fn about_a_card(self) -> Settled {
        match self {
            Self::Code(answer) | Self::NotTold(answer) => settled(&answer),
            Self::Unreachable { .. } => Settled::Later,
            Self::Broken { sent: false, .. } | Self::NoAnswer { sent: false, .. } => Settled::Later,
            // The code works once: what may have been taken is not asked again.
            Self::Broken { .. } | Self::NoAnswer { .. } => {
                Settled::Failed("未收到企业微信应答".into())
            }
            Self::Refused { status } => Settled::Failed(format!("HTTP {status}")),
            Self::BadUrl => Settled::Failed("接口地址有误".into()),
        }
    }
}

/// Whoever's account is known gets messages all the same: the channel goes on.
fn not_told(answer: &Answer, nth: u32) -> Attempted {
    let detail = format!("向企业微信查找账号没有成功（{}）", answer.words());
    match answer.errcode {
        -1 | 6000 | 45033 if nth <= BUSY_TRIES => {
            let after = Some(TimeDelta::minutes(i64::from(nth)));
            Attempted::failed(FailReason::TryLater, Next::Again { after }, &detail)
        }
        // After too many misses it answers nobody for a day.
        45009 if nth <= BUSY_TRIES => {
            let after = Some(TimeDelta::hours(8));
            Attempted::failed(FailReason::RateLimited, Next::Again { after }, &detail)
        }
        _ => Attempted::failed(FailReason::BadAddress, Next::NextChannel, &detail),
    }
}

fn by_errcode(answer: &Answer, nth: u32) -> Attempted {
    let said = answer.words();
    let next = Next::NextChannel;
    let again = |after| Next::Again { after };
    match answer.errcode {
        -1 | 6000 if nth <= BUSY_TRIES => {
            let after = Some(TimeDelta::minutes(i64::from(nth)));
            Attempted::failed(FailReason::TryLater, again(after), &said)
        }
        -1 | 6000 => Attempted::failed(FailReason::TryLater, next, &said),
        45009 => Attempted::failed(FailReason::RateLimited, again(Some(OVER_RATE)), &said)
            .resting(OVER_RATE),
        45033 => Attempted::failed(FailReason::RateLimited, again(None), &said),
        60020 => stop(&untrusted(&answer.errmsg, &said), MENDED_THERE),
        code if advice(code).is_some() => {
            let (advice, pause) = advice(code).unwrap_or_default();
            stop(&format!("{advice}（{said}）"), pause)
        }
        40003 | 43004 | 46004 | 60011 | 60111 | 81013 => {
            let detail = format!("企业微信里没有这个账号，或不在应用的可见范围内（{said}）");
            Attempted::failed(FailReason::BadAddress, next, &detail)
        }
        85002 => Attempted::failed(FailReason::Rejected, next, &said),
        40006..=40009
        | 40031
        | 40033
        | 40035
        | 40039
        | 40058
        | 40063
        | 41000..=41999
        | 42014
        | 42045
        | 44001
        | 44004
        | 45001
        | 45002
        | 45007
        | 45008
        | 82001 => Attempted::failed(FailReason::OurDefect, next, &said),
        // Unknown to us: give up loudly, with the code shown.
        _ => Attempted::failed(FailReason::Rejected, next, &said),
    }
}

/// What a person has to mend, and how long to wait for it.
fn advice(errcode: i64) -> Option<(&'static str, TimeDelta)> {
    let advice = match errcode {
        40001 | 40091 => (
            "应用的 Secret 无效，请核对 wecom.app.secret_file",
            MENDED_BY_HAND,
        ),
        40013 => ("企业ID无效，请核对 wecom.app.corp_id", MENDED_BY_HAND),
        40056 | 301_002 => (
            "AgentId 与 Secret 不是同一个应用的，请核对 wecom.app.agent_id",
            MENDED_BY_HAND,
        ),
        40014 | 42001 => ("新取得的 access_token 仍不被接受", MENDED_THERE),
        48002 => ("应用没有调用这个接口的权限，请在管理后台开通", MENDED_THERE),
        48006 => ("应用因长期不用被收回权限，请在管理后台恢复", MENDED_THERE),
        50003 => ("应用已停用，请在管理后台启用", MENDED_THERE),
        50001 | 80001 => ("应用的可信域名不符合要求，请在管理后台核对", MENDED_THERE),
        _ => return None,
    };
    Some(advice)
}

/// With the address the platform saw, which has to be entered there.
fn untrusted(errmsg: &str, said: &str) -> String {
    let which = seen_from(errmsg).map_or(String::new(), |ip| format!("（{ip}）"));
    format!("本机的出口 IP{which}不在应用的“企业可信IP”之列，请在管理后台添加（{said}）")
}

/// The address that the platform saw.
fn seen_from(errmsg: &str) -> Option<&str> {
    let (_, rest) = errmsg.split_once("from ip: ")?;
    rest.split([',', ' ']).next().filter(|ip| !ip.is_empty())
}

fn stop(detail: &str, pause: TimeDelta) -> Attempted {
    Attempted::failed(FailReason::Credentials, Next::StopChannel { pause }, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::SendOutcome;

    fn answer(text: &str) -> Answer {
        serde_json::from_str(text).unwrap()
    }

    fn judged(errcode: i64, nth: u32) -> String {
        let text = format!(
            r#"{{"errcode":{errcode},"errmsg":"said, hint: [1700000000123456789012345], from ip: 203.0.113.9, more info at https://open.work.weixin.qq.com/devtool/query?e={errcode}"}}"#
        );
        show(&sent(&answer(&text), "zhangsan", nth))
    }

    fn show(attempted: &Attempted) -> String {
        match &attempted.outcome {
            SendOutcome::Sent { .. } => format!("sent {:?}", attempted.learned),
            SendOutcome::InDoubt { .. } => "in doubt".into(),
            SendOutcome::Failed(failure) => {
                let next = match failure.next {
                    Next::Again { after: None } => "again".into(),
                    Next::Again { after: Some(after) } => format!("again {}s", after.num_seconds()),
                    Next::NextChannel => "next".into(),
                    Next::StopChannel { pause } => format!("stop {}h", pause.num_hours()),
                };
                format!("{} {next}", failure.reason.as_str())
            }
        }
    }

    #[test]
    fn each_errcode_leads_to_what_the_table_says() {
        let rows = [
            (-1, 1, "try_later again 60s"),
            (-1, 4, "try_later next"),
            (6000, 2, "try_later again 120s"),
            (40001, 1, "credentials stop 12h"),
            (40003, 1, "bad_address next"),
            (40008, 1, "our_defect next"),
            (40013, 1, "credentials stop 12h"),
            (40014, 1, "credentials stop 1h"),
            (40056, 1, "credentials stop 12h"),
            (40058, 1, "our_defect next"),
            (40091, 1, "credentials stop 12h"),
            (41001, 1, "our_defect next"),
            (42014, 1, "our_defect next"),
            (42045, 1, "our_defect next"),
            (43004, 1, "bad_address next"),
            (44004, 1, "our_defect next"),
            (45002, 1, "our_defect next"),
            (45009, 1, "rate_limited again 65s"),
            (45033, 1, "rate_limited again"),
            (46004, 1, "bad_address next"),
            (48002, 1, "credentials stop 1h"),
            (48006, 1, "credentials stop 1h"),
            (50003, 1, "credentials stop 1h"),
            (60011, 1, "bad_address next"),
            (60020, 1, "credentials stop 1h"),
            (60111, 1, "bad_address next"),
            (81013, 1, "bad_address next"),
            (82001, 1, "our_defect next"),
            (85002, 1, "rejected next"),
            (301_002, 1, "credentials stop 12h"),
            (987_654, 1, "rejected next"),
        ];
        for (errcode, nth, wanted) in rows {
            assert_eq!(judged(errcode, nth), wanted, "{errcode}");
        }
    }

    #[test]
    fn an_account_that_was_not_reached_is_no_success() {
        let taken =
            r#"{"errcode":0,"errmsg":"ok","invaliduser":"","msgid":"m1","response_code":"c1"}"#;
        assert_eq!(
            show(&sent(&answer(taken), "ZhangSan", 1)),
            r#"sent [Card("c1")]"#
        );
        for text in [
            r#"{"errcode":0,"errmsg":"ok","invaliduser":"zhangsan"}"#,
            r#"{"errcode":0,"errmsg":"ok","invaliduser":"lisi|zhangsan","invalidparty":""}"#,
            r#"{"errcode":0,"errmsg":"ok","invaliduser":"","unlicenseduser":"zhangsan"}"#,
            r#"{"errcode":0,"errmsg":"ok","invaliduser":["zhangsan"]}"#,
        ] {
            let shown = show(&sent(&answer(text), "ZhangSan", 1));
            assert_eq!(shown, "bad_address next", "{text}");
        }
    }

    #[test]
    fn the_address_the_platform_saw_is_told() {
        let refused = answer(
            r#"{"errcode":60020,"errmsg":"not allow to access from your ip, hint: [1], from ip: 203.0.113.9, more info at https://x"}"#,
        );
        let SendOutcome::Failed(failure) = sent(&refused, "a", 1).outcome else {
            panic!()
        };
        assert_eq!(
            failure.detail,
            "本机的出口 IP（203.0.113.9）不在应用的“企业可信IP”之列，请在管理后台添加（60020 not allow to access from your ip）"
        );
    }

    #[test]
    fn a_look_up_that_is_blocked_stops_nobody_whose_account_is_known() {
        let told = |errcode| {
            let refused = Answer::of_code(errcode, "said".into());
            let attempted = account(refused).unwrap_err().without_delivery(1);
            assert_eq!(attempted.rest, None, "{errcode}");
            show(&attempted)
        };
        assert_eq!(told(45009), "rate_limited again 28800s");
        assert_eq!(told(48002), "bad_address next");
        assert_eq!(told(-1), "try_later again 60s");
        let missed = account(Answer::of_code(46004, String::new()));
        assert_eq!(missed.unwrap(), None);
    }

    #[test]
    fn what_may_have_been_taken_is_in_doubt_and_what_cannot_have_been_is_not() {
        let broken = |sent| Said::Broken {
            detail: "reset".into(),
            sent,
        };
        assert_eq!(show(&broken(true).after_sending(1)), "in doubt");
        assert_eq!(show(&broken(false).after_sending(1)), "unreachable again");
        assert_eq!(show(&broken(true).without_delivery(1)), "unreachable again");
        let page = |sent| Said::NoAnswer { status: 502, sent };
        assert_eq!(show(&page(true).after_sending(1)), "in doubt");
        assert_eq!(
            show(&page(false).after_sending(1)),
            "unreadable_answer again"
        );
        let refused = Said::Refused { status: 404 };
        assert_eq!(show(&refused.after_sending(1)), "credentials stop 12h");
    }
}
