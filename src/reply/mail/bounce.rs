//! Reports that a mail did not arrive (mail.md 4.5): by the standard, and as Chinese webmails and
//! qmail write them. Anybody can send one: it counts only where it names a mail of ours and the
//! person that mail went to, and it never says anything about an obligation.

use super::header::{Headers, addresses, ids};
use super::mime::{Part, split_head};
use super::{Ours, is_ours, marked};

/// What became of a mail of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounce {
    /// For each recipient; mails of ours have one.
    pub recipients: Vec<Bounced>,
    /// The Message-ID in the copy of our mail, where there is one.
    pub original_id: Option<String>,
    /// Tokens in that copy.
    pub tokens: Vec<String>,
    /// Whether it is a report by the standard; else read by its words.
    pub standard: bool,
}

/// What became of it at one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounced {
    /// The address, in lower case.
    pub address: String,
    /// What was done.
    pub action: Action,
    /// Enhanced status, such as `5.1.1`.
    pub status: Option<String>,
    /// Whether it is of no use to try again, by class.
    pub permanent: bool,
    /// The other server's words.
    pub words: String,
}

/// What a report says was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Given up.
    Failed,
    /// Still being tried.
    Delayed,
    /// It arrived, or went on to where no report comes from.
    Delivered,
}

impl Action {
    /// The name used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
        }
    }
}

/// None where this is no such report.
pub(super) fn read(
    root: &Part<'_>,
    subject: &str,
    body: &str,
    ours: &Ours,
    from: Option<&str>,
) -> Option<Bounce> {
    let mut status: Option<&Part<'_>> = None;
    let mut copy: Option<Headers> = None;
    root.walk(&mut |part| {
        if part.is("message/delivery-status") || part.is("message/global-delivery-status") {
            status = status.or(Some(part));
        }
        if copy.is_none()
            && (part.is("message/rfc822")
                || part.is("text/rfc822-headers")
                || part.is("message/global-headers"))
        {
            copy = Some(split_head(&part.bytes()).0);
        }
    });
    let reports = root.is("multipart/report")
        && root
            .kind
            .plain("report-type")
            .is_some_and(|kind| kind.eq_ignore_ascii_case("delivery-status"));
    let (recipients, standard) = match status {
        Some(part) => (blocks(&part.bytes()), true),
        None if reports || looks_like_one(root, subject, from) => {
            (vec![by_words(root, subject, body, ours, from)?], false)
        }
        None => return None,
    };
    let original_id = copy.as_ref().and_then(original_id);
    let original_id = original_id.or_else(|| id_in(body));
    let subject_of_copy = copy
        .as_ref()
        .and_then(|copy| copy.text("Subject"))
        .unwrap_or_default();
    let reply_to = copy
        .as_ref()
        .and_then(|copy| copy.raw("Reply-To"))
        .map(tag_in);
    let tokens = marked(&subject_of_copy)
        .map(str::to_owned)
        .chain(reply_to.flatten())
        .collect();
    Some(Bounce {
        recipients,
        original_id,
        tokens,
        standard,
    })
}

/// Relays that put an id of their own keep ours in a field of their own (mail.md 1.3).
fn original_id(copy: &Headers) -> Option<String> {
    const NAMES: [&str; 3] = [
        "X-OQ-MSGID",
        "X-Microsoft-Original-Message-ID",
        "Message-ID",
    ];
    let fields = NAMES.into_iter().filter_map(|name| copy.raw(name));
    fields.filter_map(|raw| ids(raw).into_iter().next()).next()
}

fn tag_in(raw: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(raw);
    let (_, rest) = text.split_once('+')?;
    let (tag, _) = rest.split_once('@')?;
    super::is_token(tag).then(|| tag.to_owned())
}

/// The blocks of `message/delivery-status`: the first is about the mail, each other about a
/// recipient.
fn blocks(bytes: &[u8]) -> Vec<Bounced> {
    const MOST: usize = 100;
    let mut found = Vec::new();
    let mut rest = bytes;
    for _ in 0..MOST {
        if rest.is_empty() {
            break;
        }
        let (fields, after) = split_head(rest);
        if after.len() == rest.len() {
            break;
        }
        rest = after;
        let of = |name: &str| fields.text(name).map(|value| after_type(&value));
        let Some(address) = of("Original-Recipient")
            .filter(|a| a.contains('@'))
            .or_else(|| of("Final-Recipient"))
        else {
            continue;
        };
        let address = of("Final-Recipient")
            .filter(|a| a.contains('@'))
            .unwrap_or(address);
        let action = match fields
            .text("Action")
            .unwrap_or_default()
            .to_ascii_lowercase()
            .as_str()
        {
            "delayed" => Action::Delayed,
            "delivered" | "relayed" | "expanded" => Action::Delivered,
            _ => Action::Failed,
        };
        let words = of("Diagnostic-Code").unwrap_or_default();
        let status = fields.text("Status").and_then(|status| enhanced(&status));
        let class = status.as_deref().and_then(|status| status.chars().next());
        let class = class.or_else(|| code(&words).and_then(|code| code.chars().next()));
        found.push(Bounced {
            address: address.trim_matches(|c| "<> ".contains(c)).to_lowercase(),
            permanent: action == Action::Failed && class != Some('4'),
            action,
            status,
            words,
        });
    }
    found
}

/// Without `rfc822;` or `smtp;`.
fn after_type(value: &str) -> String {
    value
        .split_once(';')
        .map_or(value, |(_, rest)| rest)
        .trim()
        .to_owned()
}

const SUBJECTS: [&str; 24] = [
    "退信",
    "无法送达",
    "未送达",
    "无法投递",
    "投递失败",
    "发送失败",
    "未能送达",
    "无法发送",
    "邮件退回",
    "系统退回",
    "未能投递",
    "送达失败",
    "undeliver",
    "returned mail",
    "failure notice",
    "delivery status notification",
    "mail delivery failed",
    "delivery failure",
    "returned to sender",
    "email is returned",
    "mail is returned",
    "delivery failed",
    "could not be delivered",
    "delivery has failed",
];

/// A sender that is a machine, and a subject that says so.
fn looks_like_one(root: &Part<'_>, subject: &str, from: Option<&str>) -> bool {
    const MACHINES: [&str; 10] = [
        "postmaster",
        "mailer-daemon",
        "mail-daemon",
        "no-reply",
        "noreply",
        "mailerdaemon",
        "mdaemon",
        "mail_delivery_system",
        "bounce",
        "mailsystem",
    ];
    let local = from
        .and_then(|from| from.split('@').next())
        .unwrap_or_default();
    let machine = MACHINES.contains(&local)
        || local.starts_with("postmaster")
        || local.starts_with("mailer-daemon");
    let nobody = root
        .headers
        .text("Return-Path")
        .is_some_and(|path| path.trim() == "<>");
    let subject = subject.to_lowercase();
    let failed = root.headers.raw("X-Failed-Recipients").is_some();
    (machine || nobody) && (failed || SUBJECTS.iter().any(|word| subject.contains(word)))
}

fn by_words(
    root: &Part<'_>,
    subject: &str,
    body: &str,
    ours: &Ours,
    from: Option<&str>,
) -> Option<Bounced> {
    let text = super::charset::tidy(body);
    let named = root
        .headers
        .raw("X-Failed-Recipients")
        .map(addresses)
        .unwrap_or_default();
    let named = named.into_iter().next().map(|address| address.address);
    let address = named.or_else(|| recipient(&text, ours, from))?;
    let low = format!("{subject}\n{text}").to_lowercase();
    let waits = [
        "delayed",
        "延迟",
        "尚未送达",
        "still trying",
        "will keep trying",
        "继续尝试",
        "could not be sent for",
    ];
    let delayed = waits.iter().any(|word| low.contains(word))
        && !low.contains("失败")
        && !low.contains("failed");
    let code = code(&text);
    let status = text.lines().find_map(enhanced);
    let class = code
        .as_deref()
        .or(status.as_deref())
        .and_then(|code| code.chars().next());
    Some(Bounced {
        address,
        action: if delayed {
            Action::Delayed
        } else {
            Action::Failed
        },
        permanent: !delayed && class != Some('4'),
        status,
        words: reason(&text, code.as_deref()),
    })
}

/// The address after 收件人 and the like, on its line or the next; else the first that is nobody of
/// ours.
fn recipient(text: &str, ours: &Ours, from: Option<&str>) -> Option<String> {
    const LABELS: [&str; 8] = [
        "收件人",
        "收信人",
        "无法送达",
        "recipient",
        "rcpt to",
        "退回",
        "to:",
        "投递",
    ];
    let fits = |address: &String| !is_ours(address, ours) && Some(address.as_str()) != from;
    let lines: Vec<&str> = text.lines().collect();
    let found = |line: &str| addresses_in(line).into_iter().find(fits);
    for pair in lines
        .windows(2)
        .chain(lines.last().map(std::slice::from_ref))
    {
        let low = pair
            .first()
            .map(|line| line.to_lowercase())
            .unwrap_or_default();
        if LABELS.iter().any(|label| low.contains(label))
            && let Some(address) = pair.iter().find_map(|line| found(line))
        {
            return Some(address);
        }
    }
    lines.iter().find_map(|line| found(line))
}

fn addresses_in(line: &str) -> Vec<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || "._%+-@=".contains(c);
    let words = line
        .split(|c: char| !word(c))
        .map(|word| word.trim_matches(['.', '-', '=']));
    words
        .filter(|word| {
            word.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty() && domain.contains('.') && !domain.contains('@')
            })
        })
        .map(str::to_lowercase)
        .collect()
}

/// `550` and the like, followed by a blank, a dash or a stop.
fn code(text: &str) -> Option<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || ".-@".contains(c)))
        .map(|word| word.split('-').next().unwrap_or_default())
        .find(|word| {
            word.len() == 3
                && word.starts_with(['4', '5'])
                && word.bytes().all(|b| b.is_ascii_digit())
        })
        .map(str::to_owned)
}

/// `5.1.1`, not a part of an address of four numbers.
fn enhanced(text: &str) -> Option<String> {
    let fits = |word: &&str| {
        let parts: Vec<&str> = word.split('.').collect();
        let digits =
            |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        parts.len() == 3
            && parts.iter().all(digits)
            && matches!(parts.first(), Some(&"2" | &"4" | &"5"))
    };
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .map(|word| word.trim_end_matches('.'))
        .find(fits)
        .map(str::to_owned)
}

fn reason(text: &str, code: Option<&str>) -> String {
    const LONGEST: usize = 300;
    let with_code = code.and_then(|code| text.lines().find(|line| line.contains(code)));
    let line = with_code.or_else(|| text.lines().find(|line| line.contains("原因")));
    line.unwrap_or_default()
        .trim()
        .chars()
        .take(LONGEST)
        .collect()
}

/// In the copy that qmail and others put into the text.
fn id_in(body: &str) -> Option<String> {
    body.lines().find_map(|line| {
        let line = line.trim_start_matches(['>', ' ', '|']);
        let head = line.get(..11)?;
        let is_id = head.eq_ignore_ascii_case("message-id:");
        is_id
            .then(|| ids(line.get(11..)?.as_bytes()).into_iter().next())
            .flatten()
    })
}
