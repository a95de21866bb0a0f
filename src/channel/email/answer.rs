//! What an SMTP server's answer means (mail.md, section 3).
//!
//! The class of a code does not decide alone: some Chinese 550s are rate limits that pass, and a
//! full mailbox is cured by a person. So the text is looked at first, then the enhanced code, then
//! the plain one.

use chrono::TimeDelta;

use super::UNREACHABLE_REST;
use super::session::{Trouble, What};
use crate::channel::Attempted;
use crate::domain::delivery::{FailReason, Next};

/// How far an attempt had got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Connecting.
    Connect,
    /// TLS handshake.
    Tls,
    /// Greeting and EHLO.
    Greeting,
    /// Signing in.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA.
    Data,
    /// Writing the message; the closing dot has not left.
    Body,
    /// The closing dot has left: the server may have the message.
    Dot,
    /// Making ready for the next one.
    Reset,
}

impl Stage {
    /// For logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Greeting => "greeting",
            Self::Auth => "auth",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Body => "body",
            Self::Dot => "dot",
            Self::Reset => "reset",
        }
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Connect => "连接邮件服务器",
            Self::Tls => "建立加密连接",
            Self::Greeting => "与邮件服务器握手",
            Self::Auth => "登录邮件服务器",
            Self::Mail => "提交发件人",
            Self::Rcpt => "提交收件人",
            Self::Data | Self::Body => "提交正文",
            Self::Dot => "等待服务器确认收妥",
            Self::Reset => "重置会话",
        }
    }
}

/// What to do about an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Do {
    /// The address is bad: another channel.
    BadAddress,
    /// The mailbox is full: tomorrow, unless there is another channel before the deadline.
    Full,
    /// This message later, not before so many minutes.
    Later(i64),
    /// All messages later: the account's rate.
    Slower(i64),
    /// The day's quota is used up.
    Tomorrow,
    /// A person has to look at it; the same message again is of no use.
    Refused,
    /// The sender, its server or its domain is not welcome: nothing can leave before a person has
    /// looked into it.
    Barred(i64),
    /// Held for spam: again after minutes, an hour, then a person.
    Suspected,
    /// This addressee gets too much just now: again after so long, then another way.
    Crowded,
    /// Sign-in or sender is wrong: nothing can leave before a person mends it.
    Stop(i64),
    /// Our request was wrong.
    Defect,
    /// A new connection, and on.
    Reconnect,
}

/// Minutes of rest after a wrong password: providers lock accounts that keep trying.
const WRONG_LOGIN: i64 = 60;
/// Minutes after which a day's quota is tried again; quiet hours move it to the next morning.
const HALF_A_DAY: i64 = 12 * 60;

/// Texts that say more than their code, first match wins; lower case.
const TEXTS: &[(&[u16], &str, Do)] = &[
    // NetEase
    (&[421], "hl:rep", Do::Slower(30)),
    (&[421], "hl:icc", Do::Slower(5)),
    (&[421], "hl:ifc", Do::Slower(30)),
    (&[421], "hl:mep", Do::Barred(WRONG_LOGIN)),
    (&[450, 451], "mi:dmc", Do::Reconnect),
    (&[450, 451], "rp:drc", Do::Reconnect),
    (&[450], "dt:rbl", Do::Barred(WRONG_LOGIN)),
    (&[450], "wm:bl", Do::Barred(WRONG_LOGIN)),
    (&[450, 451], "mi:cel", Do::Defect),
    (&[450, 451], "rp:cel", Do::Defect),
    (&[450], "mi:ccl", Do::Defect),
    (&[450], "rp:ccl", Do::Defect),
    (&[451], "dt:spm", Do::Suspected),
    (&[451], "mi:sfq", Do::Slower(15)),
    (&[451], "rp:qrc", Do::Slower(30)),
    (
        &[451],
        "too much fail authentication",
        Do::Stop(WRONG_LOGIN),
    ),
    (&[550, 554], "mi:stc", Do::Tomorrow),
    (&[550], "rp:trc", Do::Tomorrow),
    (&[550], "mi:nhd", Do::Defect),
    (&[550], "mi:imf", Do::Defect),
    (&[550], "mi:spf", Do::Barred(WRONG_LOGIN)),
    (&[550], "mi:dma", Do::Barred(WRONG_LOGIN)),
    (&[550], "rp:rcl", Do::Defect),
    (&[550], "too much recipient", Do::Defect),
    (&[550], "rp:frl", Do::Stop(WRONG_LOGIN)),
    (&[550, 554], "dt:spm", Do::Refused),
    (&[554], "dt:sum", Do::Stop(WRONG_LOGIN)),
    (&[554], "hl:ihu", Do::Barred(WRONG_LOGIN)),
    (&[554], "hl:ipb", Do::Barred(WRONG_LOGIN)),
    (&[554], "ip in blacklist", Do::Barred(WRONG_LOGIN)),
    (&[554], "mi:spb", Do::Barred(WRONG_LOGIN)),
    (&[552], "mailsize limit", Do::Defect),
    (&[552], "illegal attachment", Do::Defect),
    (&[553], "null sender", Do::Stop(WRONG_LOGIN)),
    (&[553], "local user only", Do::Stop(WRONG_LOGIN)),
    (&[553], "smtp mx only", Do::Stop(WRONG_LOGIN)),
    (&[554], "smtp auth error limit", Do::Stop(2 * WRONG_LOGIN)),
    (&[550], "invalid user", Do::BadAddress),
    (&[550], "user suspended", Do::BadAddress),
    (&[553], "mail from must equal", Do::Stop(WRONG_LOGIN)),
    (&[553], "authentication is required", Do::Stop(WRONG_LOGIN)),
    // Tencent
    (&[550], "mailbox unavailable or access denied", Do::Crowded),
    (&[550], "frequency limited", Do::Slower(60)),
    (&[550], "connection denied", Do::Barred(WRONG_LOGIN)),
    (&[550], "suspected spam ip", Do::Barred(WRONG_LOGIN)),
    (&[550], "suspected spam sender", Do::Barred(WRONG_LOGIN)),
    (&[550, 554], "spf check", Do::Barred(WRONG_LOGIN)),
    (&[550, 554], "dmarc check", Do::Barred(WRONG_LOGIN)),
    (&[552], "message too large", Do::Defect),
    (&[550], "mailbox not found", Do::BadAddress),
    (&[550], "\"from\" header", Do::Defect),
    (
        &[501],
        "mail from address must be same",
        Do::Stop(WRONG_LOGIN),
    ),
    (&[503], "need ehlo and auth", Do::Defect),
    // Alibaba
    (&[454], "behaviour spam", Do::Slower(15)),
    (&[554], "behaviour spam", Do::Barred(WRONG_LOGIN)),
    (&[551], "main account unavailable", Do::Stop(WRONG_LOGIN)),
    (&[552], "sending quota exceeded", Do::Tomorrow),
    (&[556, 557], "", Do::Defect),
    (&[559], "", Do::BadAddress),
    // Anyone
    (&[450, 451, 452, 550, 552, 554], "mailbox full", Do::Full),
    (&[450, 451, 452, 550, 552, 554], "over quota", Do::Full),
    (&[450, 451, 452, 550, 552, 554], "quota exceeded", Do::Full),
    (
        &[450, 451, 452, 550, 552, 554],
        "storage allocation",
        Do::Full,
    ),
    (&[550, 551, 553, 554], "user unknown", Do::BadAddress),
    (&[550, 551, 553, 554], "unknown user", Do::BadAddress),
    (&[550, 551, 553, 554], "unknown recipient", Do::BadAddress),
    (&[550, 551, 553, 554], "no such user", Do::BadAddress),
    (&[550, 551, 553, 554], "no such recipient", Do::BadAddress),
    (&[550, 551, 553, 554], "no such mailbox", Do::BadAddress),
    (&[550, 551, 553, 554], "user not found", Do::BadAddress),
    (&[550, 551, 553, 554], "user doesn't exist", Do::BadAddress),
    (&[550, 551, 553, 554], "does not exist", Do::BadAddress),
    (&[550, 551, 553, 554], "invalid recipient", Do::BadAddress),
    (&[550, 551, 553, 554], "invalid mailbox", Do::BadAddress),
    (&[550, 551, 553, 554], "不存在", Do::BadAddress),
    (&[550, 551, 553, 554], "无此用户", Do::BadAddress),
    (&[550, 551, 553, 554], "没有这个用户", Do::BadAddress),
];

/// Enhanced codes, without their first digit.
const ENHANCED: &[(&str, Do)] = &[
    ("1.1", Do::BadAddress),
    ("1.2", Do::BadAddress),
    ("1.3", Do::BadAddress),
    ("1.6", Do::BadAddress),
    ("1.10", Do::BadAddress),
    ("2.1", Do::BadAddress),
    ("2.2", Do::Full),
    ("2.3", Do::Defect),
    ("3.4", Do::Defect),
    ("4.4", Do::Refused),
    ("4.6", Do::Refused),
    ("7.0", Do::Refused),
    ("7.1", Do::Refused),
    ("7.8", Do::Stop(WRONG_LOGIN)),
    ("7.26", Do::Barred(WRONG_LOGIN)),
];

/// Minutes between tries of what was held for spam.
const SUSPECTED: [i64; 3] = [2, 15, 60];
/// Minutes between tries for one who gets too much.
const CROWDED: [i64; 3] = [30, 120, 360];

/// Judges a failed attempt, the `nth` of its message.
pub(super) fn judge(trouble: &Trouble, nth: u32) -> Attempted {
    let detail = trouble.to_string();
    let later = Next::Again { after: None };
    if let What::Said { code, text } = &trouble.what {
        return said(trouble.stage, *code, text, nth, &detail);
    }
    if trouble.stage == Stage::Dot {
        return Attempted::in_doubt(&detail);
    }
    match &trouble.what {
        What::Unfit(_) | What::Distrusted(..) => {
            stop(FailReason::Credentials, WRONG_LOGIN, &detail)
        }
        // Who can read it may have said "wrong password": not again in a loop.
        What::Unreadable(_) if trouble.stage == Stage::Auth => {
            stop(FailReason::Credentials, WRONG_LOGIN, &detail)
        }
        What::Unreadable(_) => Attempted::failed(FailReason::UnreadableAnswer, later, &detail)
            .resting(UNREACHABLE_REST),
        What::Silent => {
            Attempted::failed(FailReason::Timeout, later, &detail).resting(UNREACHABLE_REST)
        }
        _ => Attempted::failed(FailReason::Unreachable, later, &detail).resting(UNREACHABLE_REST),
    }
}

/// Whether the server only wants a new connection for what it was just told.
pub(super) fn wants_new_connection(trouble: &Trouble) -> bool {
    match &trouble.what {
        What::Said { code, text } => by_text(*code, &text.to_lowercase()) == Some(Do::Reconnect),
        _ => false,
    }
}

fn said(stage: Stage, code: u16, text: &str, nth: u32, detail: &str) -> Attempted {
    let later = |minutes: i64| Next::Again {
        after: (minutes > 0).then(|| TimeDelta::minutes(minutes)),
    };
    match meaning(stage, code, text) {
        Do::BadAddress => Attempted::failed(FailReason::BadAddress, Next::NextChannel, detail),
        Do::Full => Attempted::failed(FailReason::MailboxFull, later(24 * 60), detail),
        Do::Later(minutes) => Attempted::failed(FailReason::TryLater, later(minutes), detail),
        Do::Slower(minutes) => Attempted::failed(FailReason::RateLimited, later(minutes), detail)
            .resting(TimeDelta::minutes(minutes)),
        Do::Tomorrow => stop(FailReason::RateLimited, HALF_A_DAY, detail),
        Do::Refused => Attempted::failed(FailReason::Rejected, Next::NextChannel, detail),
        Do::Barred(minutes) => stop(FailReason::Rejected, minutes, detail),
        Do::Suspected => by_steps(&SUSPECTED, nth, detail),
        Do::Crowded => by_steps(&CROWDED, nth, detail),
        Do::Stop(minutes) => stop(FailReason::Credentials, minutes, detail),
        Do::Defect => Attempted::failed(FailReason::OurDefect, Next::NextChannel, detail),
        // Already tried on a new connection.
        Do::Reconnect => Attempted::failed(FailReason::RateLimited, later(5), detail)
            .resting(TimeDelta::minutes(5)),
    }
}

/// Again after the wait of this try; after the last one, another way.
fn by_steps(waits: &[i64], nth: u32, detail: &str) -> Attempted {
    let wait = usize::try_from(nth.saturating_sub(1))
        .ok()
        .and_then(|nth| waits.get(nth));
    let (reason, next) = match wait {
        Some(minutes) => (
            FailReason::TryLater,
            Next::Again {
                after: Some(TimeDelta::minutes(*minutes)),
            },
        ),
        None => (FailReason::Rejected, Next::NextChannel),
    };
    Attempted::failed(reason, next, detail)
}

fn stop(reason: FailReason, minutes: i64, detail: &str) -> Attempted {
    let pause = TimeDelta::minutes(minutes);
    Attempted::failed(reason, Next::StopChannel { pause }, detail)
}

fn meaning(stage: Stage, code: u16, text: &str) -> Do {
    let lower = text.to_lowercase();
    if let Some(found) = by_text(code, &lower) {
        return found;
    }
    if stage == Stage::Auth {
        return if code == 454 || code / 100 == 4 {
            Do::Slower(15)
        } else {
            Do::Stop(WRONG_LOGIN)
        };
    }
    if let Some(found) = by_enhanced(&lower) {
        return found;
    }
    by_code(stage, code)
}

fn by_text(code: u16, lower: &str) -> Option<Do> {
    TEXTS
        .iter()
        .find(|(codes, part, _)| codes.contains(&code) && lower.contains(part))
        .map(|(_, _, what)| *what)
}

/// The enhanced code stands first in the text (RFC 2034).
fn by_enhanced(lower: &str) -> Option<Do> {
    let first = lower.split_whitespace().next()?;
    let (class, rest) = first.split_once('.')?;
    if !matches!(class, "4" | "5") {
        return None;
    }
    let found = ENHANCED.iter().find(|(code, _)| *code == rest);
    // 4.x: a name server had a bad moment, greylisting, a rate: its plain code says when again.
    match found {
        Some((_, Do::Full)) => Some(Do::Full),
        Some(_) if class == "4" => None,
        found => found.map(|(_, what)| *what),
    }
}

fn by_code(stage: Stage, code: u16) -> Do {
    match (stage, code) {
        (_, 421) => Do::Slower(10),
        (Stage::Greeting, 400..=499) => Do::Slower(10),
        (Stage::Greeting, _) => Do::Barred(WRONG_LOGIN),
        // STARTTLS was offered and is refused.
        (Stage::Tls, _) => Do::Stop(15),
        (_, 450) => Do::Later(5),
        (_, 451 | 454) => Do::Later(15),
        (_, 452) => Do::Later(30),
        (_, 400..=454 | 456..=499) => Do::Later(0),
        (_, 455 | 500..=504 | 555) => Do::Defect,
        (_, 526 | 530 | 534 | 535) => Do::Stop(WRONG_LOGIN),
        (Stage::Mail, 550 | 553) => Do::Stop(WRONG_LOGIN),
        (_, 551) => Do::BadAddress,
        // A 550 that says nothing anyone knows: refused, and shown. The address may be good.
        _ => Do::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::SendOutcome;

    fn shown(stage: Stage, code: u16, text: &str) -> String {
        let trouble = Trouble::new(
            stage,
            What::Said {
                code,
                text: text.into(),
            },
        );
        show(&judge(&trouble, 1))
    }

    fn show(attempted: &Attempted) -> String {
        let rest = attempted
            .rest
            .filter(|rest| rest.num_minutes() > 0)
            .map_or(String::new(), |rest| {
                format!(" rest {}m", rest.num_minutes())
            });
        match &attempted.outcome {
            SendOutcome::Sent { .. } => "sent".into(),
            SendOutcome::InDoubt { .. } => "in doubt".into(),
            SendOutcome::Failed(failure) => {
                let next = match failure.next {
                    Next::Again { after: None } => "again".into(),
                    Next::Again { after: Some(after) } => format!("again {}m", after.num_minutes()),
                    Next::NextChannel => "next".into(),
                    Next::StopChannel { .. } => "stop".to_owned(),
                };
                format!("{} {next}{rest}", failure.reason.as_str())
            }
        }
    }

    #[test]
    fn answers_mean_what_the_table_says() {
        use Stage::{Auth, Dot, Greeting, Mail, Rcpt};
        let rows = [
            (
                Rcpt,
                550,
                "5.1.1 <a@b.cn>: User unknown",
                "bad_address next",
            ),
            (Rcpt, 450, "4.1.2 Domain not found", "try_later again 5m"),
            (Rcpt, 450, "4.7.1 Greylisted", "try_later again 5m"),
            (Rcpt, 452, "4.2.2 Mailbox full", "mailbox_full again 1440m"),
            (Dot, 552, "5.2.2 over quota", "mailbox_full again 1440m"),
            (Rcpt, 550, "5.2.1 disabled", "bad_address next"),
            (Dot, 554, "5.7.1 spam", "rejected next"),
            (Dot, 451, "local error in processing", "try_later again 15m"),
            (
                Mail,
                421,
                "4.3.2 shutting down",
                "rate_limited again 10m rest 10m",
            ),
            (Greeting, 554, "IP in blacklist", "rejected stop rest 60m"),
            (
                Auth,
                535,
                "Error: authentication failed",
                "credentials stop rest 60m",
            ),
            (Auth, 535, "请使用授权码登录", "credentials stop rest 60m"),
            (
                Auth,
                526,
                "Authentication failure[0]",
                "credentials stop rest 60m",
            ),
            (
                Auth,
                454,
                "4.7.0 Temporary authentication failure",
                "rate_limited again 15m rest 15m",
            ),
            (Mail, 530, "login first", "credentials stop rest 60m"),
            (Mail, 502, "unknown command", "our_defect next"),
            // NetEase
            (
                Dot,
                451,
                "DT:SPM 163 smtp10,x please try again",
                "try_later again 2m",
            ),
            (Dot, 554, "DT:SPM 163 smtp10,x", "rejected next"),
            (
                Mail,
                451,
                "MI:SFQ 163 smtp2",
                "rate_limited again 15m rest 15m",
            ),
            (Rcpt, 451, "RP:QRC 163", "rate_limited again 30m rest 30m"),
            (Mail, 550, "MI:STC 163", "rate_limited stop rest 720m"),
            (Rcpt, 550, "RP:TRC 163", "rate_limited stop rest 720m"),
            (
                Greeting,
                421,
                "HL:IFC 163",
                "rate_limited again 30m rest 30m",
            ),
            (Rcpt, 550, "Invalid User", "bad_address next"),
            (
                Mail,
                553,
                "Mail from must equal authorized user",
                "credentials stop rest 60m",
            ),
            (Dot, 554, "DT:SUM 163", "credentials stop rest 60m"),
            // Tencent: two 550s that pass
            (
                Dot,
                550,
                "Mailbox unavailable or access denied",
                "try_later again 30m",
            ),
            (
                Dot,
                550,
                "Domain frequency limited",
                "rate_limited again 60m rest 60m",
            ),
            (Rcpt, 550, "Mailbox not found", "bad_address next"),
            (Dot, 550, "Mail content denied", "rejected next"),
            (
                Mail,
                501,
                "Mail from address must be same as authorization user",
                "credentials stop rest 60m",
            ),
            // Alibaba
            (
                Dot,
                454,
                "Transient reject by behaviour spam at DATA stage",
                "rate_limited again 15m rest 15m",
            ),
            (
                Dot,
                554,
                "Reject by behaviour spam at DATA stage",
                "rejected stop rest 60m",
            ),
            (
                Dot,
                552,
                "Daily sending quota exceeded",
                "rate_limited stop rest 720m",
            ),
            (Dot, 550, "something nobody has heard of", "rejected next"),
        ];
        let more = [
            // The classes of mail.md 3.1 and 3.2 that the rows above leave.
            (Rcpt, 550, "5.1.10 null MX", "bad_address next"),
            (Rcpt, 550, "5.4.4 host unroutable", "rejected next"),
            (Rcpt, 554, "5.4.6 routing loop", "rejected next"),
            (Rcpt, 550, "5.7.1 relaying denied", "rejected next"),
            (
                Mail,
                550,
                "5.7.26 unauthenticated sender",
                "rejected stop rest 60m",
            ),
            (Dot, 552, "5.3.4 message too big", "our_defect next"),
            (
                Rcpt,
                552,
                "5.2.3 message too long for the mailbox",
                "our_defect next",
            ),
            (Rcpt, 451, "4.7.1 greylisted", "try_later again 15m"),
            (
                Rcpt,
                451,
                "4.4.1 no answer from host",
                "try_later again 15m",
            ),
            (
                Stage::Tls,
                454,
                "4.7.0 TLS not available",
                "credentials stop rest 15m",
            ),
            (Rcpt, 455, "parameters not accommodated", "our_defect next"),
            (Mail, 555, "parameters not recognised", "our_defect next"),
            (Rcpt, 551, "user not local", "bad_address next"),
            (Rcpt, 550, "administrative prohibition", "rejected next"),
            (Rcpt, 550, "用户不存在", "bad_address next"),
            (Dot, 541, "spam", "rejected next"),
            (
                Auth,
                534,
                "5.7.9 mechanism too weak",
                "credentials stop rest 60m",
            ),
            // NetEase
            (
                Greeting,
                421,
                "HL:REP 163",
                "rate_limited again 30m rest 30m",
            ),
            (Greeting, 421, "HL:ICC 163", "rate_limited again 5m rest 5m"),
            (Greeting, 421, "HL:MEP 163", "rejected stop rest 60m"),
            (Mail, 450, "MI:CEL 163", "our_defect next"),
            (Rcpt, 450, "RP:CCL 163", "our_defect next"),
            (Dot, 450, "DT:RBL 163", "rejected stop rest 60m"),
            (Mail, 450, "WM:BLI 163", "rejected stop rest 60m"),
            (
                Mail,
                451,
                "too much fail authentication",
                "credentials stop rest 60m",
            ),
            (Mail, 500, "Error: bad syntaxU", "our_defect next"),
            (Mail, 550, "MI:SPF 163", "rejected stop rest 60m"),
            (Mail, 550, "MI:NHD 163", "our_defect next"),
            (Rcpt, 550, "RP:RCL 163", "our_defect next"),
            (Rcpt, 550, "RP:FRL 163", "credentials stop rest 60m"),
            (Rcpt, 550, "User suspended", "bad_address next"),
            (Rcpt, 550, "User in blacklist", "rejected next"),
            (Dot, 552, "Illegal Attachment", "our_defect next"),
            (
                Dot,
                552,
                "Requested mail action aborted: exceeded mailsize limit",
                "our_defect next",
            ),
            (
                Mail,
                553,
                "NULL sender is not allowed",
                "credentials stop rest 60m",
            ),
            (
                Mail,
                554,
                "IP is rejected, smtp auth error limit exceed",
                "credentials stop rest 120m",
            ),
            (Greeting, 554, "HL:IHU 163", "rejected stop rest 60m"),
            (Greeting, 554, "HL:IPB 163", "rejected stop rest 60m"),
            (Mail, 554, "MI:SPB 163", "rejected stop rest 60m"),
            (Mail, 554, "MI:STC 163", "rate_limited stop rest 720m"),
            // Tencent
            (
                Dot,
                550,
                "Sender frequency limited",
                "rate_limited again 60m rest 60m",
            ),
            (Dot, 550, "Suspected spam ip", "rejected stop rest 60m"),
            (Dot, 550, "Mail is rejected by recipients", "rejected next"),
            (Dot, 550, "SPF check failed", "rejected stop rest 60m"),
            (
                Dot,
                550,
                "The \"From\" header is missing or invalid",
                "our_defect next",
            ),
            (Dot, 552, "Message too large", "our_defect next"),
            (Mail, 501, "Bad address syntax", "our_defect next"),
            (
                Mail,
                503,
                "Error: need EHLO and AUTH first",
                "our_defect next",
            ),
            // Alibaba
            (
                Mail,
                551,
                "Main account unavailable",
                "credentials stop rest 60m",
            ),
            (Dot, 554, "Reject by content spam", "rejected next"),
            (Dot, 556, "too many RCPT", "our_defect next"),
            (Dot, 557, "size", "our_defect next"),
            (Rcpt, 559, "Invalid rcptto", "bad_address next"),
        ];
        let rows = rows.into_iter().chain(more);
        for (stage, code, text, wanted) in rows {
            assert_eq!(shown(stage, code, text), wanted, "{stage:?} {code} {text}");
        }
    }

    #[test]
    fn suspicion_and_crowding_pass_or_end_with_another_way() {
        let tries = |text: &str, code| {
            let what = What::Said {
                code,
                text: text.into(),
            };
            let trouble = Trouble::new(Stage::Dot, what);
            (1..=4)
                .map(|nth| show(&judge(&trouble, nth)))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            tries("DT:SPM 163 please try again", 451),
            [
                "try_later again 2m",
                "try_later again 15m",
                "try_later again 60m",
                "rejected next"
            ]
        );
        assert_eq!(
            tries("Mailbox unavailable or access denied", 550),
            [
                "try_later again 30m",
                "try_later again 120m",
                "try_later again 360m",
                "rejected next"
            ]
        );
    }

    #[test]
    fn silence_is_a_failure_before_the_dot_and_a_doubt_after_it() {
        let judged = |stage, what| show(&judge(&Trouble::new(stage, what), 1));
        assert_eq!(judged(Stage::Body, What::Silent), "timeout again");
        assert_eq!(judged(Stage::Dot, What::Silent), "in doubt");
        assert_eq!(judged(Stage::Dot, What::Lost("reset".into())), "in doubt");
        assert_eq!(judged(Stage::Dot, What::Unreadable("?".into())), "in doubt");
        assert_eq!(
            judged(Stage::Connect, What::Lost("refused".into())),
            "unreachable again"
        );
        assert_eq!(
            judged(Stage::Auth, What::Unreadable("?".into())),
            "credentials stop rest 60m"
        );
    }

    #[test]
    fn a_full_connection_is_replaced_once() {
        let full = Trouble::new(
            Stage::Mail,
            What::Said {
                code: 451,
                text: "MI:DMC 163".into(),
            },
        );
        assert!(wants_new_connection(&full));
        assert_eq!(show(&judge(&full, 1)), "rate_limited again 5m rest 5m");
    }
}
