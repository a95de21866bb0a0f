//! What a decrypted message is about: words, a tapped button, or something that is not for us.

use sha2::{Digest as _, Sha256};

use super::xml::{self, Element, NotXml};
use crate::domain::heard::{Heard, Said};
use crate::domain::hex::hex;

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// Somebody says something.
    Heard(Heard),
    /// The platform will stop, or has stopped, the application for want of use.
    Disused,
    /// Nothing to be answered: who entered, who follows, how a batch went.
    Nothing(String),
}

/// Reads a decrypted message.
///
/// # Errors
/// Where it is not the XML of one.
pub fn read(message: &str) -> Result<Incoming, NotXml> {
    let message = xml::read(message.as_bytes())?;
    let account = message.text_of("FromUserName").to_owned();
    let kind = message.text_of("MsgType");
    let said = match kind {
        "event" => match message.text_of("Event") {
            "template_card_event" => Said::Tapped {
                card: message.text_of("TaskId").to_owned(),
                button: message.text_of("EventKey").to_owned(),
                chosen: chosen(&message),
                code: message.text_of("ResponseCode").to_owned(),
            },
            "inactive_alert" | "close_inactive_agent" => return Ok(Incoming::Disused),
            other => return Ok(Incoming::Nothing(short(other))),
        },
        "text" => Said::Typed {
            text: message
                .only("Content")
                .map_or(String::new(), |content| content.text.clone()),
        },
        "" => return Err(NotXml),
        other => Said::Other { kind: short(other) },
    };
    if account.is_empty() {
        return Err(NotXml);
    }
    let name = name(&message, &said);
    Ok(Incoming::Heard(Heard {
        name,
        account,
        said,
    }))
}

/// The first option chosen; our cards have one list.
fn chosen(message: &Element) -> Option<String> {
    let item = message.only("SelectedItems")?.all("SelectedItem").next()?;
    let options = item.only("OptionIds")?;
    // One of the platform's own libraries spells it so.
    let mut ids = options.all("OptionId").chain(options.all("OpitonId"));
    let id = ids.next()?.text.trim();
    (!id.is_empty()).then(|| id.to_owned())
}

/// A message has a number. An event has none, and what tells two taps apart is the code that each
/// brings: a redelivery brings the same.
fn name(message: &Element, said: &Said) -> String {
    let number = message.text_of("MsgId");
    let counted = !number.is_empty() && number.len() <= 32;
    if counted && number.bytes().all(|b| b.is_ascii_digit()) {
        return format!("msg-{number}");
    }
    let parts = [
        "FromUserName",
        "CreateTime",
        "Event",
        "EventKey",
        "TaskId",
        "ResponseCode",
        "Content",
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(message.text_of(part).as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    let hex = hex(digest.iter().take(12));
    match said {
        Said::Tapped { .. } => format!("tap-{hex}"),
        Said::Typed { .. } | Said::Other { .. } => format!("msg-{hex}"),
    }
}

/// A name of the platform's, for the journal and the log.
fn short(name: &str) -> String {
    name.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAP: &str = "<xml><ToUserName><![CDATA[ww0123456789abcdef]]></ToUserName><FromUserName><![CDATA[zhangsan]]></FromUserName><CreateTime>1759190400</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[template_card_event]]></Event><EventKey><![CDATA[completed]]></EventKey><TaskId><![CDATA[cuiban-1-2]]></TaskId><CardType><![CDATA[button_interaction]]></CardType><ResponseCode><![CDATA[code-1]]></ResponseCode><AgentID>1000002</AgentID><SelectedItems><SelectedItem><QuestionKey><![CDATA[item]]></QuestionKey><OptionIds><OptionId><![CDATA[16-0]]></OptionId></OptionIds></SelectedItem></SelectedItems></xml>";
    const TEXT: &str = "<xml><ToUserName>ww0123456789abcdef</ToUserName><FromUserName><![CDATA[zhangsan]]></FromUserName><CreateTime>1759190400</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[14 已完成\n材料下午盖章]]></Content><MsgId>7512345678901234567</MsgId><AgentID>1000002</AgentID></xml>";

    fn heard(message: &str) -> Heard {
        match read(message) {
            Ok(Incoming::Heard(heard)) => heard,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn words_and_taps_are_told_from_what_needs_no_answer() {
        let text = heard(TEXT);
        assert_eq!(
            (text.name.as_str(), text.account.as_str()),
            ("msg-7512345678901234567", "zhangsan")
        );
        let typed = "14 已完成\n材料下午盖章".to_owned();
        assert_eq!(text.said, Said::Typed { text: typed });
        let tapped = |chosen: Option<&str>| Said::Tapped {
            card: "cuiban-1-2".into(),
            button: "completed".into(),
            chosen: chosen.map(Into::into),
            code: "code-1".into(),
        };
        assert_eq!(heard(TAP).said, tapped(Some("16-0")));
        assert_eq!(
            heard(&TAP.replace("OptionId>", "OpitonId>")).said,
            tapped(Some("16-0"))
        );
        assert_eq!(heard(&TAP.replace("16-0", "")).said, tapped(None));
        let voice = heard(&TEXT.replace("[text]", "[voice]"));
        assert_eq!(
            voice.said,
            Said::Other {
                kind: "voice".into()
            }
        );
        for event in [
            "enter_agent",
            "subscribe",
            "LOCATION",
            "template_card_menu_event",
            "neu",
        ] {
            let read = read(&TAP.replace("template_card_event", event));
            assert_eq!(read, Ok(Incoming::Nothing(event.into())));
        }
        let read_disused = read(&TAP.replace("template_card_event", "inactive_alert"));
        assert_eq!(read_disused, Ok(Incoming::Disused));
        for nothing in [
            "7",
            "<xml></xml>",
            "status=in_progress",
            &TEXT.replace("zhangsan", ""),
        ] {
            assert_eq!(read(nothing), Err(NotXml), "{nothing}");
        }
    }

    #[test]
    fn what_comes_again_has_the_same_name_and_nothing_else_has() {
        let first = heard(TAP).name;
        assert_eq!(heard(TAP).name, first);
        for (old, new) in [
            ("code-1", "code-2"),
            ("[completed]", "[behind]"),
            ("zhangsan", "lisi"),
        ] {
            assert_ne!(heard(&TAP.replace(old, new)).name, first, "{new}");
        }
        let without = TEXT.replace("<MsgId>7512345678901234567</MsgId>", "");
        assert_eq!(heard(&without).name, heard(&without).name);
        assert_ne!(
            heard(&without).name,
            heard(&without.replace("盖章", "送达")).name
        );
    }
}
