//! The boxes in which Excel shows comments, and how a worksheet names the part they are in.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::Cell;
use super::splice::inserted;

/// Where there were none before.
pub(super) fn alone(placed: &BTreeMap<Cell, String>) -> String {
    format!(
        "<xml xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\" xmlns:x=\"urn:schemas-microsoft-com:office:excel\">{}</xml>",
        shapes(placed)
    )
}

/// The drawing with ours behind what it holds.
pub(super) fn beside(text: &str, placed: &BTreeMap<Cell, String>) -> Option<String> {
    let end = text.rfind("</xml>")?;
    Some(inserted(text, end, &shapes(placed)))
}

/// Where `<legacyDrawing>` goes among the worksheet's elements, and the prefix they have.
pub(super) fn place(xml: &str) -> Option<(String, usize)> {
    const AFTER: [&str; 7] = [
        "legacyDrawingHF",
        "picture",
        "oleObjects",
        "controls",
        "webPublishItems",
        "tableParts",
        "extLst",
    ];
    let mut reader = Reader::from_str(xml);
    let (mut depth, mut prefix) = (0_u32, String::new());
    loop {
        let before = usize::try_from(reader.buffer_position()).ok()?;
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if depth == 0 {
                    let own = start.name().prefix();
                    prefix = own.map_or_else(String::new, |own| format!("{}:", own.as_ref()));
                } else if depth == 1 && AFTER.contains(&start.local_name().as_ref()) {
                    return Some((prefix, before));
                }
                depth += 1;
            }
            Event::Empty(start) if depth == 1 && AFTER.contains(&start.local_name().as_ref()) => {
                return Some((prefix, before));
            }
            Event::End(_) => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some((prefix, before));
                }
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn shapes(placed: &BTreeMap<Cell, String>) -> String {
    let mut shapes = String::from(
        "<v:shapetype id=\"_x0000_t202\" coordsize=\"21600,21600\" o:spt=\"202\" path=\"m,l,21600r21600,l21600,xe\"><v:stroke joinstyle=\"miter\"/><v:path gradientshapeok=\"t\" o:connecttype=\"rect\"/></v:shapetype>",
    );
    for (number, ((row, column), text)) in placed.iter().enumerate() {
        let lines = text.chars().count().div_ceil(22) + text.matches('\n').count() + 1;
        let (left, right) = (column + 1, column + 4);
        let bottom = *row + u32::try_from(lines).unwrap_or(4).clamp(3, 20);
        let _ = write!(
            shapes,
            "<v:shape id=\"cuiban_{number}\" type=\"#_x0000_t202\" style=\"position:absolute;margin-left:60pt;margin-top:2pt;width:240pt;height:{}pt;z-index:{};visibility:hidden\" fillcolor=\"#ffffe1\" o:insetmode=\"auto\"><v:fill color2=\"#ffffe1\"/><v:shadow on=\"t\" color=\"black\" obscured=\"t\"/><v:path o:connecttype=\"none\"/><v:textbox style=\"mso-direction-alt:auto\"/><x:ClientData ObjectType=\"Note\"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>{left}, 15, {row}, 2, {right}, 15, {bottom}, 4</x:Anchor><x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>",
            lines * 16,
            number + 1
        );
    }
    shapes
}
