//! People of a plan and the ways to reach them.

use std::fmt;

use super::ids::PersonId;

/// Someone named in a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Made from unit and name.
    pub id: PersonId,
    /// The name as printed.
    pub name: String,
    /// The unit they answer for; empty for leaders of the city.
    pub unit: String,
    /// In which columns they stand.
    pub roles: Roles,
}

/// The columns a person stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Roles {
    /// 直接责任人.
    pub owner: bool,
    /// 责任人.
    pub responsible: bool,
    /// 责任领导.
    pub leader: bool,
}

impl Roles {
    /// What people read, such as `直接责任人、责任人`.
    #[must_use]
    pub fn chinese(self) -> String {
        let named = [
            (self.owner, "直接责任人"),
            (self.responsible, "责任人"),
            (self.leader, "责任领导"),
        ];
        let held: Vec<&str> = named
            .into_iter()
            .filter_map(|(held, name)| held.then_some(name))
            .collect();
        held.join("、")
    }
}

/// A way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChannelKind {
    /// SMTP.
    Email,
    /// A group robot's webhook.
    WecomRobot,
    /// An application message to the person.
    WecomApp,
    /// A file on this machine.
    Spool,
}

impl ChannelKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Email, Self::WecomRobot, Self::WecomApp, Self::Spool];

    /// The name used in JSON, in the contact sheet and in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::WecomRobot => "wecom_robot",
            Self::WecomApp => "wecom_app",
            Self::Spool => "spool",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Email => "电子邮件",
            Self::WecomRobot => "企业微信群",
            Self::WecomApp => "企业微信应用",
            Self::Spool => "本机文件",
        }
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A row of the contact sheet. Debug hides telephone and addresses: they must not reach a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// Whose.
    pub person: PersonId,
    /// 职务.
    pub title: Option<String>,
    /// 手机, digits only.
    pub mobile: Option<String>,
    /// 邮箱, checked to have one `@` and a domain.
    pub email: Option<String>,
    /// 企业微信账号.
    pub wecom_user: Option<String>,
    /// 渠道, in the order to try.
    pub channels: Vec<ChannelKind>,
    /// 备注.
    pub note: Option<String>,
}

impl Contact {
    /// A contact with no way to reach the person.
    #[must_use]
    pub fn none(person: PersonId) -> Self {
        Self {
            person,
            title: None,
            mobile: None,
            email: None,
            wecom_user: None,
            channels: Vec::new(),
            note: None,
        }
    }

    /// The channels to try, in order, that this contact has an address for.
    ///
    /// Without a 渠道 of its own: email if there is an address, then the application if the account
    /// is known, then the robot if there is anyone to mention.
    #[must_use]
    pub fn route(&self) -> Vec<ChannelKind> {
        const WITH_ACCOUNT: [ChannelKind; 3] = [
            ChannelKind::Email,
            ChannelKind::WecomApp,
            ChannelKind::WecomRobot,
        ];
        const WITHOUT: [ChannelKind; 2] = [ChannelKind::Email, ChannelKind::WecomRobot];
        let wanted: &[ChannelKind] = match (self.channels.as_slice(), &self.wecom_user) {
            ([], Some(_)) => &WITH_ACCOUNT,
            ([], None) => &WITHOUT,
            (named, _) => named,
        };
        wanted
            .iter()
            .copied()
            .filter(|kind| self.has_address_for(*kind))
            .collect()
    }

    /// Whether messages of this channel go to the same place by both.
    #[must_use]
    pub fn same_address(&self, other: &Self, kind: ChannelKind) -> bool {
        match kind {
            ChannelKind::Email => self.email == other.email,
            ChannelKind::WecomRobot => {
                self.wecom_user == other.wecom_user && self.mobile == other.mobile
            }
            ChannelKind::WecomApp => {
                self.wecom_user == other.wecom_user && self.mobile == other.mobile
            }
            ChannelKind::Spool => true,
        }
    }

    /// Whether the sheet has what this channel needs.
    #[must_use]
    pub fn has_address_for(&self, kind: ChannelKind) -> bool {
        match kind {
            ChannelKind::Email => self.email.is_some(),
            ChannelKind::WecomRobot => self.wecom_user.is_some() || self.mobile.is_some(),
            // Without an account the platform is asked for one.
            ChannelKind::WecomApp => {
                self.wecom_user.is_some() || self.mobile.is_some() || self.email.is_some()
            }
            ChannelKind::Spool => true,
        }
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contact")
            .field("person", &self.person)
            .field("channels", &self.channels)
            .finish_non_exhaustive()
    }
}
