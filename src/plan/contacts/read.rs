//! Rows of the sheet into contacts: the pure core, no file, no clock.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::column::Column;
use super::directory::Directory;
use super::rows::Row;
use super::text::{cleaned, squeezed};
use crate::domain::address;
use crate::domain::ids::PersonId;
use crate::domain::people::{ChannelKind, Contact, Person, Roles};
use crate::domain::plan::Severity;

/// What a sheet says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sheet {
    /// The contacts of all rows without an error, in the order of the sheet.
    pub contacts: Vec<Contact>,
    /// What is wrong, in the order of the sheet. A row with an error is not among the contacts.
    pub faults: Vec<SheetFault>,
}

/// Something wrong, with its place. Never holds a telephone number or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetFault {
    /// An error leaves the row out, a warning does not.
    pub severity: Severity,
    /// Row of the file, from 1.
    pub row: u32,
    /// The column, where it is about one.
    pub column: Option<Column>,
    /// What is wrong and what to do, in Chinese.
    pub message: String,
}

impl Sheet {
    /// Whether a row had to be left out.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.faults
            .iter()
            .any(|fault| fault.severity == Severity::Error)
    }
}

impl fmt::Display for SheetFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "第{}行", self.row)?;
        if let Some(column) = self.column {
            write!(f, "“{}”列", column.heading())?;
        }
        write!(f, "：{}", self.message)
    }
}

/// 备注 of the template: the columns of the table the person stands in.
pub(super) fn roles_text(roles: Roles) -> String {
    roles.chinese()
}

/// Reads the sheet's rows for these people.
#[must_use]
pub fn read_sheet(rows: &[Row], people: &[&Person]) -> Sheet {
    let mut faults = Vec::new();
    let Some((layout, body)) = Layout::find(rows, &mut faults) else {
        return Sheet {
            contacts: Vec::new(),
            faults,
        };
    };
    let directory = Directory::new(people);
    let mut taken = Taken::default();
    let mut contacts = Vec::new();
    for row in body {
        let mut reading = Reading {
            layout: &layout,
            row,
            faults: Vec::new(),
        };
        let contact = reading.contact(&directory);
        let contact = contact.and_then(|contact| taken.claim(contact, &mut reading));
        let sound = reading
            .faults
            .iter()
            .all(|fault| fault.severity != Severity::Error);
        contacts.extend(contact.filter(|_| sound));
        faults.append(&mut reading.faults);
    }
    Sheet { contacts, faults }
}

/// Which column stands where.
struct Layout {
    at: BTreeMap<Column, usize>,
}

impl Layout {
    /// Looks for the headings, which may stand under a title, and gives the rows below.
    fn find<'a>(rows: &'a [Row], faults: &mut Vec<SheetFault>) -> Option<(Self, &'a [Row])> {
        let is_heading = |row: &Row| {
            row.cells
                .iter()
                .any(|cell| heading(cell) == Some(Column::Name))
        };
        let Some(index) = rows.iter().take(20).position(is_heading) else {
            faults.push(SheetFault {
                severity: Severity::Error,
                row: rows.first().map_or(1, |row| row.number),
                column: None,
                message: "没有找到表头：应有一行依次为 姓名、单位、职务、手机、邮箱、企业微信账号、渠道、备注".to_owned(),
            });
            return None;
        };
        let head = rows.get(index)?;
        let mut at = BTreeMap::new();
        for (place, cell) in head.cells.iter().enumerate() {
            let Some(column) = heading(cell) else {
                if !squeezed(cell).is_empty() {
                    faults.push(SheetFault {
                        severity: Severity::Warning,
                        row: head.number,
                        column: None,
                        message: format!("不认识“{}”这一列，没有读取", squeezed(cell)),
                    });
                }
                continue;
            };
            if at.insert(column, place).is_some() {
                faults.push(SheetFault {
                    severity: Severity::Error,
                    row: head.number,
                    column: Some(column),
                    message: "这一列出现了两次，请删去一列".to_owned(),
                });
                return None;
            }
        }
        Some((Self { at }, rows.get(index + 1..)?))
    }
}

/// People and addresses of the rows above.
#[derive(Default)]
struct Taken {
    people: HashMap<PersonId, (u32, Contact)>,
    addresses: HashMap<(Column, String), u32>,
}

impl Taken {
    /// The contact, unless a row above was about the same person.
    fn claim(&mut self, contact: Contact, reading: &mut Reading<'_>) -> Option<Contact> {
        let here = reading.row.number;
        if let Some((row, above)) = self.people.get(&contact.person) {
            if *above == contact {
                reading.warn(None, format!("与第{row}行完全相同，只算一次"));
            } else {
                reading.error(
                    None,
                    format!("与第{row}行是同一个人，内容却不同，请只留一行"),
                );
            }
            return None;
        }
        let addresses = [
            (Column::Mobile, &contact.mobile),
            (Column::Email, &contact.email),
            (Column::WecomUser, &contact.wecom_user),
        ];
        for (column, address) in addresses {
            let Some(address) = address else { continue };
            let key = (column, address.to_lowercase());
            if let Some(row) = self.addresses.insert(key, here) {
                reading.warn(
                    Some(column),
                    format!("与第{row}行相同，请确认两人确实共用，而不是填串了行"),
                );
            }
        }
        let person = contact.person.clone();
        self.people.insert(person, (here, contact.clone()));
        Some(contact)
    }
}

/// One row being read.
struct Reading<'a> {
    layout: &'a Layout,
    row: &'a Row,
    faults: Vec<SheetFault>,
}

impl Reading<'_> {
    fn contact(&mut self, directory: &Directory<'_>) -> Option<Contact> {
        let name = squeezed(&self.cell(Column::Name));
        let unit = squeezed(&self.cell(Column::Unit));
        if name.is_empty() {
            let filled = Column::ALL
                .into_iter()
                .any(|column| !self.cell(column).is_empty());
            if filled {
                self.error(Some(Column::Name), "没有填写姓名".to_owned());
            }
            return None;
        }
        let found = directory.find(&name, &unit);
        let title = self.free_text(Column::Title);
        let mobile = self.mobile();
        let email = self.email();
        let wecom_user = self.wecom_user();
        let channels = self.channels();
        let note = self.free_text(Column::Note);
        let person = match found {
            Ok(person) => person,
            Err((column, message)) => {
                self.error(Some(column), message);
                return None;
            }
        };
        let contact = Contact {
            person: person.id.clone(),
            title,
            mobile,
            email,
            wecom_user,
            channels,
            note: note.filter(|note| *note != roles_text(person.roles)),
        };
        if self.faults.is_empty() {
            self.check_channels(&contact);
        }
        Some(contact)
    }

    fn cell(&self, column: Column) -> String {
        let at = self.layout.at.get(&column);
        let cell = at.and_then(|at| self.row.cells.get(*at));
        cell.map(|cell| cleaned(cell)).unwrap_or_default()
    }

    fn mobile(&mut self) -> Option<String> {
        let text = self.cell(Column::Mobile);
        let mobile = address::mobile(&text);
        if mobile.is_none() && !text.is_empty() {
            let message = "不是11位手机号码，请核对；一格只填一个号码".to_owned();
            self.error(Some(Column::Mobile), message);
        }
        mobile
    }

    fn email(&mut self) -> Option<String> {
        let text = self.cell(Column::Email);
        let text = text.strip_prefix("mailto:").unwrap_or(&text);
        let email = address::email(text).map(str::to_owned);
        if email.is_none() && !text.is_empty() {
            let message = "不是邮箱地址，应如 zhangsan@example.gov.cn；一格只填一个地址".to_owned();
            self.error(Some(Column::Email), message);
        }
        email
    }

    fn wecom_user(&mut self) -> Option<String> {
        let text = self.cell(Column::WecomUser);
        if text.is_empty() {
            return None;
        }
        if !address::is_wecom_user(&text) {
            let message = "企业微信账号只能有字母、数字和 _ - @ .，请向企业微信管理员核对（不是姓名，也不是微信号）";
            self.error(Some(Column::WecomUser), message.to_owned());
            return None;
        }
        Some(text)
    }

    fn channels(&mut self) -> Vec<ChannelKind> {
        let text = self.cell(Column::Channels);
        let parts = text.split(|c: char| ",，、;；/".contains(c) || c.is_whitespace());
        let mut channels = Vec::new();
        for part in parts.filter(|part| !part.is_empty()) {
            match channel(part) {
                Some(kind) if channels.contains(&kind) => {}
                Some(kind) => channels.push(kind),
                None => {
                    let message = format!(
                        "没有“{part}”这种渠道，可填 email、wecom_robot、wecom_app、spool，用逗号隔开"
                    );
                    self.error(Some(Column::Channels), message);
                }
            }
        }
        channels
    }

    fn check_channels(&mut self, contact: &Contact) {
        for kind in &contact.channels {
            if !contact.has_address_for(*kind) {
                let message = format!("选了“{}”，却没有填写它要用的地址", kind.chinese());
                self.warn(Some(Column::Channels), message);
            }
        }
    }

    fn free_text(&mut self, column: Column) -> Option<String> {
        const LONGEST: usize = 200;
        let text = self.cell(column);
        if text.chars().count() > LONGEST {
            self.error(Some(column), format!("超过{LONGEST}字，请缩短"));
        }
        (!text.is_empty()).then_some(text)
    }

    fn error(&mut self, column: Option<Column>, message: String) {
        self.tell(Severity::Error, column, message);
    }

    fn warn(&mut self, column: Option<Column>, message: String) {
        self.tell(Severity::Warning, column, message);
    }

    fn tell(&mut self, severity: Severity, column: Option<Column>, message: String) {
        self.faults.push(SheetFault {
            severity,
            row: self.row.number,
            column,
            message,
        });
    }
}

fn heading(cell: &str) -> Option<Column> {
    Column::from_heading(&squeezed(cell))
}

fn channel(name: &str) -> Option<ChannelKind> {
    let name = name.to_lowercase();
    let by_words = || {
        ChannelKind::ALL
            .into_iter()
            .find(|kind| kind.chinese() == name)
    };
    match name.as_str() {
        "邮件" | "邮箱" | "电子邮箱" => Some(ChannelKind::Email),
        "群机器人" | "企业微信群机器人" => Some(ChannelKind::WecomRobot),
        _ => ChannelKind::from_name(&name).or_else(by_words),
    }
}
