//! `[office]`: who asks, whom to call, and who coordinates.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::reader::Reader;
use super::units;
use crate::domain::address;
use crate::domain::ids::PersonId;
use crate::domain::people::{ChannelKind, Contact, Person, Roles};

/// `[office]`.
#[derive(Debug, Clone)]
pub struct OfficeConfig {
    /// The office that asks, as messages name it.
    pub name: String,
    /// Whom to call with questions.
    pub phone: Option<String>,
    /// `[[office.coordinator]]`, with the ways to reach each.
    pub coordinators: Vec<(Person, Contact)>,
    /// `[[office.operator]]`: who is told when the program or a way out is in trouble.
    pub operators: Vec<(Person, Contact)>,
    /// 发文机关, where it is not the office itself.
    pub issuer: Option<String>,
    /// 发文机关标志, where it is not the issuer's name.
    pub head: Option<String>,
    /// 发文机关代字.
    pub code: String,
    /// To whom a 通报 goes.
    pub addressee: String,
    /// To whom it is copied.
    pub copied: Vec<String>,
    /// Tables of units' names, after the one inside the program. Read anew at each import, so
    /// that a decision counts at once.
    pub units: Vec<PathBuf>,
}

/// The unit under which the server's administrators stand in lists.
const OPERATORS: &str = "服务器管理";

/// What a person of the office is for.
#[derive(Clone, Copy)]
struct Post {
    /// As faults name it.
    title: &'static str,
    /// What goes unheard without a way to reach them.
    hears: &'static str,
}

impl OfficeConfig {
    pub(super) fn read(r: &mut Reader<'_>) -> Option<Self> {
        let name = r.text("name");
        if name.is_none() {
            r.fault("name", "请填写科室名称，如 \"市政府办公室督查科\"");
        }
        let phone = r.parsed("phone", "电话号码，如 \"0769-22830000\"", |text| {
            let fits = text.chars().any(|c| c.is_ascii_digit())
                && text
                    .chars()
                    .all(|c| c.is_ascii_digit() || " -+()（）转、,，/".contains(c));
            fits.then(|| text.to_owned())
        });
        let units = r.texts("units").unwrap_or_default();
        let units: Vec<PathBuf> = units.iter().map(|name| r.find(name)).collect();
        for fault in units::names(&units).err().into_iter().flatten() {
            r.fault("units", fault.to_string());
        }
        let issuer = r.text("issuer");
        let head = r.text("head");
        let code = r.text("code");
        let addressee = r.text("addressee");
        let copied = r.texts("copied").unwrap_or_default();
        let mut names = BTreeSet::new();
        let unit = name.clone().unwrap_or_default();
        let post = Post {
            title: "联络人",
            hears: "每日汇总",
        };
        let coordinators = r.list("coordinator", |r| member(r, &unit, post, &mut names));
        let coordinators: Option<Vec<_>> = coordinators.into_iter().collect();
        let mut names = BTreeSet::new();
        let post = Post {
            title: "服务器管理员",
            hears: "运行告警",
        };
        let operators = r.list("operator", |r| member(r, OPERATORS, post, &mut names));
        let operators: Option<Vec<_>> = operators.into_iter().collect();
        Some(Self {
            name: name?,
            phone,
            coordinators: coordinators?,
            operators: operators?,
            issuer,
            head,
            code: code.unwrap_or_else(|| "督".into()),
            addressee: addressee.unwrap_or_else(|| "各有关单位".into()),
            copied,
            units,
        })
    }
}

fn member(
    r: &mut Reader<'_>,
    unit: &str,
    post: Post,
    names: &mut BTreeSet<String>,
) -> Option<(Person, Contact)> {
    let name = r.text("name");
    let email = r.personal("email", "一个邮件地址", |text| {
        address::email(text).map(str::to_owned)
    });
    let mobile = r.personal("mobile", "11位手机号码", address::mobile);
    let wecom_user = r.parsed(
        "wecom_user",
        "企业微信账号（字母、数字、_、-、@、.）",
        |text| address::is_wecom_user(text).then(|| text.to_owned()),
    );
    let channels = r.texts("channels").unwrap_or_default();
    let channels: Vec<ChannelKind> = channels
        .iter()
        .filter_map(|channel| {
            let kind = ChannelKind::from_name(channel);
            if kind.is_none() {
                r.fault(
                    "channels",
                    format!(
                        "没有“{channel}”这种渠道，可用的有 email、wecom_robot、wecom_app、spool"
                    ),
                );
            }
            kind
        })
        .collect();
    let Some(name) = name else {
        r.fault("name", format!("请填写{}的姓名", post.title));
        return None;
    };
    if !names.insert(name.clone()) {
        r.fault("name", format!("“{name}”已经写过一次，请删去重复的一节"));
    }
    let id = PersonId::of(unit, &name);
    let contact = Contact {
        mobile,
        email,
        wecom_user,
        channels,
        ..Contact::none(id.clone())
    };
    if contact.route().is_empty() {
        r.warn(
            "name",
            format!(
                "“{name}”没有可用的联系方式，收不到{}；请填写 email 或 wecom_user",
                post.hears
            ),
        );
    }
    let person = Person {
        id,
        name,
        unit: unit.to_owned(),
        roles: Roles::default(),
    };
    Some((person, contact))
}
