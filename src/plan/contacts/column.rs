//! The columns of the contact sheet.

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// 姓名.
    Name,
    /// 单位.
    Unit,
    /// 职务.
    Title,
    /// 手机.
    Mobile,
    /// 邮箱.
    Email,
    /// 企业微信账号.
    WecomUser,
    /// 渠道.
    Channels,
    /// 备注.
    Note,
}

impl Column {
    /// All, in the order of the template.
    pub const ALL: [Self; 8] = [
        Self::Name,
        Self::Unit,
        Self::Title,
        Self::Mobile,
        Self::Email,
        Self::WecomUser,
        Self::Channels,
        Self::Note,
    ];

    /// The heading.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::Name => "姓名",
            Self::Unit => "单位",
            Self::Title => "职务",
            Self::Mobile => "手机",
            Self::Email => "邮箱",
            Self::WecomUser => "企业微信账号",
            Self::Channels => "渠道",
            Self::Note => "备注",
        }
    }

    /// The column of this heading, also where an office words it a little differently. Takes the
    /// text without blanks.
    pub(super) fn from_heading(text: &str) -> Option<Self> {
        let column = match text.to_lowercase().as_str() {
            "姓名" | "名字" => Self::Name,
            "单位" | "工作单位" | "所在单位" | "单位名称" => Self::Unit,
            "职务" | "职务名称" => Self::Title,
            "手机" | "手机号" | "手机号码" | "移动电话" => Self::Mobile,
            "邮箱" | "电子邮箱" | "邮件地址" | "邮箱地址" | "email" | "e-mail" => {
                Self::Email
            }
            "企业微信账号" | "企业微信帐号" | "企业微信" | "企业微信id" => {
                Self::WecomUser
            }
            "渠道" | "发送渠道" | "通知渠道" => Self::Channels,
            "备注" | "说明" => Self::Note,
            _ => return None,
        };
        Some(column)
    }
}
