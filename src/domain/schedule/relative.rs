//! Times that hang on an event: `待省批复后15个工作日内`, `项目立项后1个月内`.

use super::cursor::Cursor;
use super::number::read_small;

/// Reads words up to and with a time that the text does not tell the beginning of.
pub(super) fn read(cursor: &mut Cursor<'_>) -> bool {
    let mut ahead = *cursor;
    let mut after_event = ahead;
    let found = if read_event(&mut after_event) {
        ahead = after_event;
        true
    } else {
        read_duration(&mut ahead, false)
    };
    if found {
        *cursor = ahead;
    }
    found
}

/// `待省批复后`, `自印发之日起30日内`, `验收合格后1个月内`.
fn read_event(cursor: &mut Cursor<'_>) -> bool {
    const LONGEST: usize = 24;
    const EVENTS: [&str; 24] = [
        "批复", "下达", "印发", "出台", "通过", "审批", "审议", "批准", "验收", "完成", "立项",
        "备案", "公布", "发布", "到位", "签订", "签约", "移交", "交付", "结束", "受理", "中标",
        "下发", "竣工",
    ];
    let text = cursor.rest();
    let waits = cursor.eat("待");
    for _ in 0..LONGEST {
        match cursor.peek() {
            Some('之' | '以' | '后') if cursor.eat_any(&["之日起", "之后", "以后", "后"]) =>
            {
                let said = text.get(..text.len() - cursor.rest().len());
                let said = said.unwrap_or_default();
                let within = read_within(cursor);
                return waits || within && EVENTS.iter().any(|event| said.contains(event));
            }
            None | Some('，' | ',' | '。' | '；' | ';' | '：' | ':' | '、' | '\n') => {
                return false;
            }
            Some(_) => cursor.next(),
        };
    }
    false
}

/// `15个工作日内` behind an event.
fn read_within(cursor: &mut Cursor<'_>) -> bool {
    let mut after = *cursor;
    after.eat_any(&["，", ","]);
    after.eat("的");
    let within = read_duration(&mut after, true);
    if within {
        *cursor = after;
    }
    within
}

/// `3个月内`; also counted in days where an event stands before, else it is a service's time.
fn read_duration(cursor: &mut Cursor<'_>, of_event: bool) -> bool {
    let half = cursor.eat("半");
    if !half && !cursor.eat("两") && read_small(cursor, 365).is_none() {
        return false;
    }
    let long = cursor.eat_any(&["个月", "年", "个季度", "周", "个星期"]);
    let short = !long && cursor.eat_any(&["个工作日", "个自然日", "工作日", "日", "天"]);
    (long || short && of_event) && cursor.eat_any(&["以内", "之内", "内"])
}
