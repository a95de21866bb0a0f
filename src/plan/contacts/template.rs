//! The sheet to fill in: every person of the plan in the order of the table, with what is known.

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use super::column::Column;
use super::read::roles_text;
use crate::domain::book::{Book, PlanBook};
use crate::domain::people::{Contact, Person};
use crate::domain::readiness::people_of;
use crate::web::csv::Csv;

/// The template as XLSX.
///
/// # Errors
/// Where the writer refuses, which no table of people makes it do.
pub fn template_xlsx(book: &Book, plan: &PlanBook) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    write_people(workbook.add_worksheet(), book, plan)?;
    write_guide(workbook.add_worksheet(), &plan.heading.title)?;
    workbook.save_to_buffer()
}

/// The template as CSV.
#[must_use]
pub fn template_csv(book: &Book, plan: &PlanBook) -> Vec<u8> {
    let mut csv = Csv::new(&Column::ALL.map(Column::heading));
    for person in people_of(book, plan) {
        csv.line(&cells(person, book.contacts.get(&person.id)));
    }
    csv.into_bytes()
}

fn cells(person: &Person, contact: Option<&Contact>) -> [String; 8] {
    let of = |field: fn(&Contact) -> &Option<String>| {
        let value = contact.and_then(|contact| field(contact).clone());
        value.unwrap_or_default()
    };
    let channels = contact.map(|contact| contact.channels.as_slice());
    let channels: Vec<&str> = channels
        .unwrap_or_default()
        .iter()
        .map(|kind| kind.as_str())
        .collect();
    let note = contact.and_then(|contact| contact.note.clone());
    Column::ALL.map(|column| match column {
        Column::Name => person.name.clone(),
        Column::Unit => person.unit.clone(),
        Column::Title => of(|contact| &contact.title),
        Column::Mobile => of(|contact| &contact.mobile),
        Column::Email => of(|contact| &contact.email),
        Column::WecomUser => of(|contact| &contact.wecom_user),
        Column::Channels => channels.join(","),
        Column::Note => note.clone().unwrap_or_else(|| roles_text(person.roles)),
    })
}

fn write_people(sheet: &mut Worksheet, book: &Book, plan: &PlanBook) -> Result<(), XlsxError> {
    let heading = Format::new()
        .set_bold()
        .set_align(FormatAlign::Center)
        .set_background_color(Color::RGB(0x00DD_E6F0))
        .set_border(FormatBorder::Thin);
    // "@" is the text format: what is typed later stays text, so no telephone becomes a number.
    let text = Format::new()
        .set_num_format("@")
        .set_border(FormatBorder::Thin);
    sheet.set_name("联系人")?;
    for (column, at) in Column::ALL.into_iter().zip(0..) {
        sheet.set_column_width(at, width(column))?;
        sheet.write_string_with_format(0, at, column.heading(), &heading)?;
    }
    let people = people_of(book, plan);
    for (person, row) in people.iter().zip(1..) {
        let cells = cells(person, book.contacts.get(&person.id));
        for (cell, at) in cells.iter().zip(0..) {
            sheet.write_string_with_format(row, at, cell, &text)?;
        }
    }
    let last = u32::try_from(people.len()).unwrap_or(u32::MAX);
    sheet.autofilter(0, 0, last, 7)?;
    sheet.set_freeze_panes(1, 1)?;
    sheet.set_repeat_rows(0, 0)?;
    sheet.set_landscape();
    sheet.set_paper_size(9);
    sheet.set_print_fit_to_pages(1, 0);
    Ok(())
}

fn width(column: Column) -> f64 {
    match column {
        Column::Name => 10.0,
        Column::Unit => 24.0,
        Column::Title => 14.0,
        Column::Mobile => 15.0,
        Column::Email => 30.0,
        Column::WecomUser => 18.0,
        Column::Channels => 20.0,
        Column::Note => 24.0,
    }
}

/// What stands on the second worksheet, a line each.
const GUIDE: [&str; 12] = [
    "一、“联系人”表已按分解表的次序列出全部人员，姓名和单位请不要改动；市领导的单位空着即可。",
    "二、手机、邮箱、企业微信账号至少填写一项，否则系统无法提醒本人，也不会对本人催办、督办。",
    "三、手机：11位号码，一格一个。用于在企业微信群里@本人。",
    "四、邮箱：一格一个，如 zhangsan@example.gov.cn。",
    "五、企业微信账号：企业微信通讯录里的“账号”，由字母、数字组成，不是姓名，也不是微信号。",
    "六、渠道：依次使用哪些方式，用逗号隔开，前一种不成再用后一种。可填：",
    "　　email　电子邮件",
    "　　wecom_robot　企业微信群机器人，在群里@本人",
    "　　wecom_app　企业微信应用，直接发给本人；没有填企业微信账号的，按手机、邮箱查找",
    "　　不填写则有邮箱的先发邮件，再在企业微信群里@本人。",
    "七、备注已填好本人在分解表中的身份，可以改写。",
    "八、填好后存盘，执行：cuiban contacts import 文件名。可以反复导入，以最后一次为准；没有列入的人不受影响。",
];

fn write_guide(sheet: &mut Worksheet, title: &str) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold().set_font_size(14);
    let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    sheet.set_name("填写说明")?;
    sheet.set_column_width(0, 96)?;
    sheet.write_string_with_format(0, 0, format!("{title}　联系人表填写说明"), &bold)?;
    for (line, row) in GUIDE.into_iter().zip(1..) {
        sheet.write_string_with_format(row, 0, line, &wrapped)?;
    }
    Ok(())
}
