//! The classes of failure, shared by every channel, metrics and the board.

/// Classes of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailReason {
    /// No connection, DNS, TLS handshake, peer closed before anything was sent: `unreachable`.
    Unreachable,
    /// The peer did not answer in time, before the message was given: `timeout`.
    Timeout,
    /// The peer asks to come again later: `try_later`.
    TryLater,
    /// Too many messages: `rate_limited`.
    RateLimited,
    /// The address is bad: `bad_address`.
    BadAddress,
    /// Mailbox full: `mailbox_full`.
    MailboxFull,
    /// Content or sender refused by policy: `rejected`.
    Rejected,
    /// Login, secret, key or robot is not valid: `credentials`.
    Credentials,
    /// Our request was wrong: `our_defect`.
    OurDefect,
    /// The peer answered what nobody can read: `unreadable_answer`.
    UnreadableAnswer,
    /// The channel is not configured or the contact has no address for it: `no_channel`.
    NoChannel,
}

impl FailReason {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Unreachable,
        Self::Timeout,
        Self::TryLater,
        Self::RateLimited,
        Self::BadAddress,
        Self::MailboxFull,
        Self::Rejected,
        Self::Credentials,
        Self::OurDefect,
        Self::UnreadableAnswer,
        Self::NoChannel,
    ];

    /// The name used in JSON, metrics and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::TryLater => "try_later",
            Self::RateLimited => "rate_limited",
            Self::BadAddress => "bad_address",
            Self::MailboxFull => "mailbox_full",
            Self::Rejected => "rejected",
            Self::Credentials => "credentials",
            Self::OurDefect => "our_defect",
            Self::UnreadableAnswer => "unreadable_answer",
            Self::NoChannel => "no_channel",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// What a coordinator reads.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Unreachable => "连接不上对方服务器",
            Self::Timeout => "对方服务器长时间不应答",
            Self::TryLater => "对方服务器要求稍后再试",
            Self::RateLimited => "发送过于频繁，被对方限制",
            Self::BadAddress => "地址无效",
            Self::MailboxFull => "对方邮箱已满",
            Self::Rejected => "被对方拒收",
            Self::Credentials => "账号、密码或密钥无效",
            Self::OurDefect => "消息格式不被接受",
            Self::UnreadableAnswer => "对方的应答无法识别",
            Self::NoChannel => "没有可用的联系方式",
        }
    }
}
